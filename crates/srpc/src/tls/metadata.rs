//! Certificate and key from a machine's metadata service (srpc.md §8.1). Nobody asks it unless told to.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::CredentialError;

/// Where clouds have it.
pub const METADATA_SERVICE: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(169, 254, 169, 254)),
    80,
);

const TIMEOUT: Duration = Duration::from_millis(100);
const ANSWER_MAX_BYTES: u64 = 1 << 20;
const CERTIFICATE_PATH: &str = "/latest/dynamic/instance-identity/X.509-certificate";
const KEY_PATH: &str = "/latest/dynamic/instance-identity/X.509-key";

/// What the service gave, as PEM.
pub(super) struct PemTexts {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

/// `None`: there is no service, or it has no certificate.
pub(super) fn certificate_and_key(service: SocketAddr) -> Result<Option<PemTexts>, CredentialError> {
    let Some(certificate) = get(service, CERTIFICATE_PATH)? else {
        return Ok(None);
    };
    let Some(key) = get(service, KEY_PATH)? else {
        return Ok(None);
    };
    Ok(Some(PemTexts { certificate, key }))
}

fn get(service: SocketAddr, path: &str) -> Result<Option<Vec<u8>>, CredentialError> {
    let Ok(answer) = exchange(service, path) else {
        return Ok(None);
    };
    let Some(head_end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Err(CredentialError::Metadata("answer is no HTTP".to_owned()));
    };
    let (head, body) = answer.split_at(head_end);
    let status_line = String::from_utf8_lossy(head)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    let status = status_line.split_once(' ').map_or("", |(_, status)| status);
    match status.split(' ').next() {
        Some("200") if body.len() > 4 => Ok(Some(body[4..].to_vec())),
        Some("200" | "404") => Ok(None),
        _ => Err(CredentialError::Metadata(status.to_owned())),
    }
}

/// HTTP/1.0, so the body ends with the connection.
fn exchange(service: SocketAddr, path: &str) -> io::Result<Vec<u8>> {
    let end = Instant::now() + TIMEOUT;
    let mut stream = TcpStream::connect_timeout(&service, TIMEOUT)?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", service.ip())?;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || answer.len() as u64 > ANSWER_MAX_BYTES {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut piece)? {
            0 => return Ok(answer),
            bytes => answer.extend_from_slice(&piece[..bytes]),
        }
    }
}
