//! Requests of HTTP as fast as answers come, on connections that are kept; answers are read and thrown away.

use anyhow::{Context, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 1 << 20;
/// Silence after which a server is taken for dead.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came out.
pub(crate) struct Answers {
    /// Of all connections together.
    pub(crate) per_second: f64,
    /// Bytes of one answer's body.
    pub(crate) body_bytes: u64,
    /// All of them.
    pub(crate) count: u64,
}

/// The same request on each of so many connections for about `length`, at least once.
pub(crate) fn requests(
    address: SocketAddr,
    connections: usize,
    request: &str,
    length: Duration,
) -> anyhow::Result<Answers> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::to(address)?);
    }
    // Once before the clock runs, to have everything at hand.
    let body_bytes = match open.first_mut() {
        Some(first) => first.ask(request)?,
        None => 0,
    };
    let start = Instant::now();
    let counts = std::thread::scope(|scope| {
        let workers: Vec<_> = open
            .into_iter()
            .map(|mut connection| scope.spawn(move || connection.keep_asking(request, start, length)))
            .collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined
            .map(|count| count.map_err(|_| anyhow::anyhow!("a client died"))?)
            .collect::<anyhow::Result<Vec<u64>>>()
    })?;
    let count: u64 = counts.iter().sum();
    Ok(Answers {
        per_second: count as f64 / start.elapsed().as_secs_f64(),
        body_bytes,
        count,
    })
}

/// The body of one answer that must be good.
pub(crate) fn body(address: SocketAddr, path: &str) -> anyhow::Result<Vec<u8>> {
    send(address, &get(path, ""), &[])
}

/// The body of the answer, which must be good, to a request whose head is `head`.
pub(crate) fn send(address: SocketAddr, head: &str, body: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut connection = Connection::to(address)?;
    connection.stream.write_all(head.as_bytes())?;
    connection.stream.write_all(body)?;
    let mut answer = Vec::new();
    connection.answer(&mut |bytes| answer.extend_from_slice(bytes))?;
    Ok(answer)
}

/// The head of a request with a body of `length` bytes, with further headers as lines.
pub(crate) fn head(method: &str, path: &str, length: usize, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n")
}

/// A GET, with further headers as lines.
pub(crate) fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n{headers}\r\n")
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn to(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    fn keep_asking(&mut self, request: &str, start: Instant, length: Duration) -> anyhow::Result<u64> {
        let mut count = 0;
        while count == 0 || start.elapsed() < length {
            self.ask(request)?;
            count += 1;
        }
        Ok(count)
    }

    /// Bytes of the answer's body.
    fn ask(&mut self, request: &str) -> anyhow::Result<u64> {
        self.stream.write_all(request.as_bytes())?;
        self.answer(&mut |_| {})
    }

    fn answer(&mut self, take: &mut dyn FnMut(&[u8])) -> anyhow::Result<u64> {
        let mut filled = 0;
        let (head, length) = loop {
            let read = self.stream.read(&mut self.buffer[filled..])?;
            ensure!(read > 0, "the server closed the connection");
            filled += read;
            if let Some(end) = self.buffer[..filled]
                .windows(4)
                .position(|bytes| bytes == b"\r\n\r\n")
            {
                break (end + 4, length_of(&self.buffer[..end])?);
            }
        };
        take(&self.buffer[head..filled]);
        let mut left = length.saturating_sub((filled - head) as u64);
        while left > 0 {
            let read = self.stream.read(&mut self.buffer)?;
            ensure!(read > 0, "the server closed the connection within an answer");
            take(&self.buffer[..read]);
            left = left.saturating_sub(read as u64);
        }
        Ok(length)
    }
}

/// Content length of an answer that is good.
fn length_of(head: &[u8]) -> anyhow::Result<u64> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status.contains(" 204 ") {
        return Ok(0);
    }
    ensure!(status.contains(" 200 "), "{status}");
    let mut headers = lines.filter_map(|line| line.split_once(": "));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, length) = length.context("an answer without a length")?;
    Ok(length.trim().parse()?)
}
