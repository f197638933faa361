//! Just enough HTTP to see whether a server answers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Limit of one attempt to connect, and of silence afterwards.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are looked at.
const ANSWER_MAX_BYTES: u64 = 64 << 10;

/// Whether a GET of `path` is answered by anything that is HTTP. What the status is does not matter: not every
/// implementation has every page.
pub(crate) fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(ANSWER_MAX_BYTES).read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1."))
    };
    ask().unwrap_or(false)
}
