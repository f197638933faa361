//! The little HTTP there is before a connection becomes SRPC. Line ends may be LF or CRLF (srpc.md §2.2).

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of a request's or an answer's head.
const HEAD_MAX_BYTES: usize = 16 << 10;

/// The status a client insists on.
pub(crate) const CONNECTED_STATUS: &str = "200 Connected to Go SRPC";
/// What a server says before it turns to SRPC, byte for byte.
pub(crate) const CONNECTED_ANSWER: &[u8] = b"HTTP/1.0 200 Connected to Go SRPC\n\n";

/// Reads up to and with the blank line; returns the first line. What came behind the blank line stays in `received`. `None` if
/// the peer left without a word.
pub(crate) async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
    received: &mut BytesMut,
) -> io::Result<Option<String>> {
    loop {
        // However much a read brought: the limit is on the head.
        if let Some(end) = head_end(received).filter(|&end| end <= HEAD_MAX_BYTES) {
            let first_line = received[..end]
                .split(|&byte| byte == b'\n')
                .next()
                .unwrap_or_default();
            let first_line = String::from_utf8_lossy(first_line)
                .trim_end_matches('\r')
                .to_owned();
            received.advance(end);
            return Ok(Some(first_line));
        }
        if received.len() > HEAD_MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "HTTP head too long"));
        }
        if stream.read_buf(received).await? == 0 {
            return if received.is_empty() {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    }
}

/// The place behind the first blank line.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut line_start = 0;
    for at in memchr::memchr_iter(b'\n', bytes) {
        let line = &bytes[line_start..at];
        if line_start > 0 && (line.is_empty() || line == b"\r") {
            return Some(at + 1);
        }
        line_start = at + 1;
    }
    None
}

/// Writes a whole answer and ends the connection.
pub(crate) async fn answer(stream: &mut TcpStream, status: u16, body: &str) -> io::Result<()> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        500 => "Internal Server Error",
        _ => "Service Unavailable",
    };
    let text = format!(
        "HTTP/1.0 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::head_end;

    #[test]
    fn heads_end_with_either_kind_of_line_end() {
        assert_eq!(head_end(b"CONNECT / HTTP/1.0\n\nrest"), Some(20));
        assert_eq!(head_end(b"A\r\nB: c\r\n\r\nrest"), Some(11));
        assert_eq!(head_end(b"A\r\nB: c\n\nrest"), Some(9));
        assert_eq!(head_end(b"A\r\nB: c\r\n"), None);
        assert_eq!(head_end(b"\n\n"), Some(2));
    }
}
