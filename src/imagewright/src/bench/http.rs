//! Just enough HTTP to see whether a server answers, and how long a page takes.

use anyhow::{Context, ensure};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Limit of one attempt to connect, and of silence afterwards.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are looked at to see whether there is one.
const ANSWER_MAX_BYTES: u64 = 64 << 10;
/// Bytes of a page: more than any has.
const PAGE_MAX_BYTES: u64 = 1 << 30;

/// Whether a GET of `path` is answered by anything that is HTTP. What the status is does not matter: not every
/// implementation has every page.
pub(crate) fn answers(port: u16, path: &str) -> bool {
    get(port, path, ANSWER_MAX_BYTES).is_ok_and(|answer| answer.starts_with(b"HTTP/1."))
}

/// A page from the connection's beginning to its end.
pub(crate) struct Page {
    pub(crate) time: Duration,
    /// Of head and body.
    pub(crate) bytes: usize,
}

/// Asks for a page that must be there.
pub(crate) fn page(port: u16, path: &str) -> anyhow::Result<Page> {
    let started = Instant::now();
    let answer = get(port, path, PAGE_MAX_BYTES).with_context(|| format!("page {path}"))?;
    let time = started.elapsed();
    let head = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let status = String::from_utf8_lossy(head);
    ensure!(status.contains(" 200 "), "page {path}: {status}");
    Ok(Page {
        time,
        bytes: answer.len(),
    })
}

fn get(port: u16, path: &str, limit: u64) -> std::io::Result<Vec<u8>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(limit).read_to_end(&mut answer)?;
    Ok(answer)
}
