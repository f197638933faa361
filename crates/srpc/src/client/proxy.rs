//! Connecting through a SOCKS proxy (srpc.md §10): RFC 1928 without authentication, SOCKS4 and SOCKS4a.
//!
//! The original says SOCKS4a also where the URL says 5, which most proxies understand as well; this says what the URL says.
//! Lacks: tunnels through an SRPC server (`srpc://`).

use std::net::{IpAddr, Ipv4Addr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ConnectError;

/// Bytes of a host name in a request, at most: its length is one byte in SOCKS5.
const HOST_MAX_BYTES: usize = 255;

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    dialect: Dialect,
    /// `HOST:PORT`.
    address: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// Host names are looked up here.
    Socks4,
    /// Host names are looked up by the proxy.
    Socks4a,
    /// Likewise.
    Socks5,
}

impl Proxy {
    /// From a URL: `socks://`, `socks5://`, `socks4://` or `socks4a://`, then `HOST:PORT`. Nothing for an empty one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &str) -> Result<Option<Self>, String> {
        if url.is_empty() {
            return Ok(None);
        }
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let dialect = match scheme {
            "socks" | "socks5" => Dialect::Socks5,
            "socks4" => Dialect::Socks4,
            "socks4a" => Dialect::Socks4a,
            "srpc" => {
                return Err("tunnels through an SRPC server are not built in: use a SOCKS proxy".to_owned());
            }
            _ => {
                return Err(format!(
                    "unsupported proxy: {url:?}: want socks5://HOST:PORT, socks4://... or socks4a://..."
                ));
            }
        };
        let address = rest.strip_suffix('/').unwrap_or(rest);
        match address.rsplit_once(':') {
            Some((host, port))
                if !host.is_empty() && !host.contains(['@', '/']) && port.parse::<u16>().is_ok() =>
            {
                Ok(Some(Self {
                    dialect,
                    address: address.to_owned(),
                }))
            }
            _ => Err(format!("bad proxy address: {address:?}: want HOST:PORT")),
        }
    }

    /// Where to connect to.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Asks the proxy at the other end of `stream` for a connection; afterwards the stream is that connection.
    pub(super) async fn pass(
        &self,
        stream: &mut TcpStream,
        host: &str,
        port: u16,
    ) -> Result<(), ConnectError> {
        let passed = match self.dialect {
            Dialect::Socks5 => socks5(stream, host, port).await,
            Dialect::Socks4 | Dialect::Socks4a => self.socks4(stream, host, port).await,
        };
        passed.map_err(|why| ConnectError::Dial(format!("proxy {}: {host}:{port}: {why}", self.address)))
    }

    async fn socks4(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), String> {
        let by_name = self.dialect == Dialect::Socks4a;
        let literal = host.parse::<Ipv4Addr>().ok();
        let address = match literal {
            Some(address) => address,
            // An address that there is not says that a name follows.
            None if by_name => Ipv4Addr::new(0, 0, 0, 255),
            None => lookup(host, port).await?,
        };
        let mut request = vec![4, 1];
        request.extend(port.to_be_bytes());
        request.extend(address.octets());
        // No user.
        request.push(0);
        if literal.is_none() && by_name {
            request.extend(checked(host)?.bytes());
            request.push(0);
        }
        stream.write_all(&request).await.map_err(said)?;
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).await.map_err(said)?;
        match answer[1] {
            0x5a => Ok(()),
            0x5b => Err("request rejected".to_owned()),
            0x5c => Err("no client identd".to_owned()),
            0x5d => Err("user ID not confirmed".to_owned()),
            other => Err(format!("unknown response code: {other}")),
        }
    }
}

async fn socks5(stream: &mut TcpStream, host: &str, port: u16) -> Result<(), String> {
    // One way to prove who we are: none.
    stream.write_all(&[5, 1, 0]).await.map_err(said)?;
    let mut choice = [0; 2];
    stream.read_exact(&mut choice).await.map_err(said)?;
    match choice {
        [5, 0] => {}
        [5, _] => return Err("it wants a user and password".to_owned()),
        _ => return Err("not a SOCKS5 proxy".to_owned()),
    }
    let mut request = vec![5, 1, 0];
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            let host = checked(host)?;
            request.push(3);
            request.push(u8::try_from(host.len()).unwrap_or(u8::MAX));
            request.extend(host.bytes());
        }
    }
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await.map_err(said)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.map_err(said)?;
    if answer[1] != 0 {
        return Err(refusal(answer[1]));
    }
    // The address it connects from, of no use here, and a port.
    let rest = match answer[3] {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(said)?),
        other => return Err(format!("unknown kind of address: {other}")),
    };
    let mut ignored = vec![0; rest + 2];
    stream.read_exact(&mut ignored).await.map_err(said)?;
    Ok(())
}

/// RFC 1928 §6.
fn refusal(code: u8) -> String {
    match code {
        1 => "general failure".to_owned(),
        2 => "not allowed by its rules".to_owned(),
        3 => "network unreachable".to_owned(),
        4 => "host unreachable".to_owned(),
        5 => "connection refused".to_owned(),
        6 => "TTL expired".to_owned(),
        7 | 8 => "not supported".to_owned(),
        other => format!("unknown response code: {other}"),
    }
}

async fn lookup(host: &str, port: u16) -> Result<Ipv4Addr, String> {
    let found = tokio::net::lookup_host((host, port)).await.map_err(said)?;
    found
        .filter_map(|address| match address.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
        .next()
        .ok_or_else(|| "no IPv4 addresses".to_owned())
}

/// A name that fits the request and ends where it ends.
fn checked(host: &str) -> Result<&str, String> {
    if host.len() > HOST_MAX_BYTES || host.contains('\0') {
        return Err(format!("host name cannot be asked for: {host:?}"));
    }
    Ok(host)
}

fn said(error: std::io::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Proxy};

    #[test]
    fn a_proxy_is_named_by_a_url() {
        assert_eq!(Proxy::parse(""), Ok(None));
        for (url, dialect) in [
            ("socks://gate:1080", Dialect::Socks5),
            ("socks5://gate:1080/", Dialect::Socks5),
            ("socks4://gate:1080", Dialect::Socks4),
            ("socks4a://gate:1080", Dialect::Socks4a),
        ] {
            let address = "gate:1080".to_owned();
            assert_eq!(Proxy::parse(url), Ok(Some(Proxy { dialect, address })));
        }
        for url in [
            "gate:1080",
            "http://gate:1",
            "socks5://gate",
            "socks5://:1",
            "socks5://u:p@gate:1",
            "srpc://gate:1",
        ] {
            assert!(Proxy::parse(url).is_err(), "{url}");
        }
    }
}
