//! Doors for fuzz targets into what is private; not part of the interface.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::AsyncRead;

use crate::call::Caller;
use crate::client::CallError;
use crate::coder::{Coder, Message};
use crate::conn::Conn;
use crate::json::{Scan, Scanner};
use crate::server::{Decision, Endpoint, Server};
use crate::{client, http, powers, server};

/// The first line of an HTTP head, and what was read behind the head.
pub async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<(String, BytesMut)>> {
    let mut received = BytesMut::new();
    let line = http::read_head(stream, &mut received).await?;
    Ok(line.map(|line| (line, received)))
}

/// What the server does with a request.
pub fn decide(server: &Server, request_line: &str) -> Decision {
    server::listener::decide(server, request_line)
}

/// What a client makes of the answer to its CONNECT.
pub fn is_connected(status_line: &str) -> Result<(), String> {
    client::connect::is_connected(status_line)
}

/// The end of a JSON value in a growing input, if it is there; `ends` are the input's lengths, ascending.
///
/// # Errors
/// The character no value starts with.
pub fn scan(input: &[u8], ends: impl IntoIterator<Item = usize>) -> Result<Option<usize>, char> {
    let mut scanner = Scanner::default();
    for end in ends {
        match scanner.scan(&input[..end]) {
            Scan::End(end) => return Ok(Some(end)),
            Scan::NoValue(character) => return Err(character),
            Scan::More => {}
        }
    }
    Ok(None)
}

/// Answers calls on an established stream, as those of a caller who may do everything.
pub async fn answer(server: &Arc<Server>, conn: Conn, coder: Coder) {
    let endpoint = Endpoint {
        coder,
        tls: false,
        powers_allowed: true,
    };
    let caller = Caller {
        insecure: true,
        ..Caller::default()
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    server::session::answer(server, conn, endpoint, caller, address, address).await;
}

/// Makes a call on an established stream.
pub async fn call<Request: Message, Reply: Message>(
    conn: &mut Conn,
    method: &str,
    request: &Request,
) -> Result<Reply, CallError> {
    client::exchange(conn, method, request).await
}

/// The strings of a certificate's extension.
pub fn extension_strings(der: &[u8]) -> Result<Vec<String>, String> {
    powers::sequence_of_strings(der)
}
