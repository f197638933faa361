//! Making the TCP connection.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::{ConnectError, Proxy};

/// Connects to the address, through the proxy if there is one.
pub(super) async fn dial(
    address: &str,
    proxy: Option<&Proxy>,
    limit: Duration,
) -> Result<TcpStream, ConnectError> {
    let address = real_address(address);
    let Some((host, port)) = split(&address) else {
        return Err(ConnectError::BadAddress(address.into_owned()));
    };
    let work = async {
        match proxy {
            None => direct(&address, host).await,
            Some(proxy) => {
                let gate = proxy.address();
                let (gate_host, _) = split(gate).unwrap_or((gate, 0));
                let mut stream = direct(gate, gate_host).await?;
                proxy.pass(&mut stream, host, port).await?;
                Ok(stream)
            }
        }
    };
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(ConnectError::Dial(format!("dial tcp {address}: i/o timeout"))))
}

fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    Some((host, port.parse().ok()?))
}

/// Resolves the address and connects to the first of its addresses that answers.
async fn direct(address: &str, host: &str) -> Result<TcpStream, ConnectError> {
    let candidates: Vec<SocketAddr> = tokio::net::lookup_host(address)
        .await
        .map_err(|error| lookup_error(host, &error))?
        .collect();
    let mut last = ConnectError::Dial(format!("dial tcp: lookup {host}: no such host"));
    for candidate in candidates {
        match TcpStream::connect(candidate).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = connect_error(candidate, &error),
        }
    }
    Err(last)
}

/// Drops anything between a `*` and the `:` of the port.
fn real_address(address: &str) -> Cow<'_, str> {
    match (address.find('*'), address.rfind(':')) {
        (Some(star), Some(colon)) if star < colon => {
            format!("{}{}", &address[..star], &address[colon..]).into()
        }
        _ => address.into(),
    }
}

fn connect_error(address: SocketAddr, error: &io::Error) -> ConnectError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::ConnectionRefused,
        io::ErrorKind::HostUnreachable => ConnectError::NoRouteToHost,
        _ => ConnectError::Dial(format!("dial tcp {address}: connect: {error}")),
    }
}

/// The C library's words for a name server's failure, in the words of Go.
fn lookup_error(host: &str, error: &io::Error) -> ConnectError {
    let text = error.to_string();
    if text.contains("Temporary failure") {
        return ConnectError::DnsServerMisbehaving;
    }
    if text.contains("not known") || text.contains("No address associated") {
        return ConnectError::Dial(format!("dial tcp: lookup {host}: no such host"));
    }
    ConnectError::Dial(format!("dial tcp: lookup {host}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::{connect_error, lookup_error, real_address};
    use std::io;

    #[test]
    fn failures_to_dial_have_the_specified_texts() {
        let address = "192.0.2.1:1".parse().unwrap();
        for (errno, text) in [
            (rustix::io::Errno::CONNREFUSED, "connection refused"),
            (rustix::io::Errno::HOSTUNREACH, "no route to host"),
        ] {
            assert_eq!(connect_error(address, &errno.into()).to_string(), text);
        }
        let other = connect_error(address, &rustix::io::Errno::NETUNREACH.into()).to_string();
        assert!(other.starts_with("dial tcp 192.0.2.1:1: connect: "), "{other}");
        for (said, text) in [
            (
                "failed to lookup address information: Temporary failure in name resolution",
                "DNS server misbehaving",
            ),
            (
                "failed to lookup address information: Name or service not known",
                "dial tcp: lookup web: no such host",
            ),
        ] {
            assert_eq!(lookup_error("web", &io::Error::other(said)).to_string(), text);
        }
    }

    #[test]
    fn what_is_behind_a_star_is_dropped() {
        for (address, real) in [
            ("web*2:6971", "web:6971"),
            ("web:6971", "web:6971"),
            ("web*:1", "web:1"),
            ("a*b", "a*b"),
            ("a:1*", "a:1*"),
        ] {
            assert_eq!(real_address(address), real);
        }
    }
}
