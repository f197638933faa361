//! Making the TCP connection.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::ConnectError;

/// Resolves the address and connects to the first of its addresses that answers.
pub(super) async fn dial(address: &str, limit: Duration) -> Result<TcpStream, ConnectError> {
    let address = real_address(address);
    let Some((host, port)) = address.rsplit_once(':') else {
        return Err(ConnectError::BadAddress(address.into_owned()));
    };
    if port.parse::<u16>().is_err() {
        return Err(ConnectError::BadAddress(address.into_owned()));
    }
    let work = async {
        let candidates: Vec<SocketAddr> = tokio::net::lookup_host(&*address)
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
    };
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(ConnectError::Dial(format!("dial tcp {address}: i/o timeout"))))
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
