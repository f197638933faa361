//! One request-reply call over a plain connection, written out by hand: independent of crate `srpc`.

use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const SILENCE_SECONDS: u64 = 30;

/// Calls `method` and gives the reply; an error line of the server is the error.
pub fn call<Request: gob::Gob, Reply: gob::Gob>(
    address: SocketAddr,
    method: &str,
    request: &Request,
) -> Result<Reply> {
    let mut stream = connect(address)?;
    let mut bytes = format!("{method}\n").into_bytes();
    gob::Encoder::new().encode(request, &mut bytes);
    stream.get_mut().write_all(&bytes)?;
    for step in ["accept", "answer"] {
        let mut line = String::new();
        ensure!(
            stream.read_line(&mut line)? > 0,
            "connection closed instead of an {step} line"
        );
        if line != "\n" {
            bail!("{}", line.trim_end());
        }
    }
    let mut decoder = gob::Decoder::new(gob::Limits::default());
    let mut answer = Vec::new();
    loop {
        match decoder.decode::<Reply>(&answer)? {
            gob::Progress::Value { value, .. } => return Ok(value),
            gob::Progress::NeedMore { .. } => {
                let more = stream.fill_buf()?;
                ensure!(!more.is_empty(), "connection closed within the reply");
                answer.extend_from_slice(more);
                let count = more.len();
                stream.consume(count);
            }
        }
    }
}

/// A plain connection on which method lines can be sent.
pub fn connect(address: SocketAddr) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(SILENCE_SECONDS)))?;
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"CONNECT /_goSRPC_/ HTTP/1.0\n\n")?;
    let mut status = String::new();
    stream.read_line(&mut status).context("no answer to CONNECT")?;
    ensure!(status == "HTTP/1.0 200 Connected to Go SRPC\n", "{status}");
    stream.read_line(&mut status)?;
    Ok(stream)
}
