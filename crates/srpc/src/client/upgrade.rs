//! Moving to a Unix socket when the server is on this machine (srpc.md §6).

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::{CallError, begin};
use crate::conn::{Conn, ConnError, Transport};
use crate::upgrade_messages::{
    COOKIE_BYTES, FULL_NAME, RequestOne, RequestTwo, ResponseOne, ResponseTwo, new_cookie,
};

/// For connecting to the socket and hearing its byte.
const SOCKET_TIMEOUT: Duration = Duration::from_secs(5);

/// Stays on TCP, without an error, if the server does not know the method, has no socket, or the socket does not work.
pub(super) async fn upgrade(conn: &mut Conn) -> Result<(), CallError> {
    let Ok(cookie) = new_cookie() else { return Ok(()) };
    match begin(conn, FULL_NAME).await {
        Ok(()) => {}
        Err(error) if error.keeps_connection() => return Ok(()),
        Err(error) => return Err(error),
    }
    conn.write_value(&RequestOne {
        client_cookie: cookie.to_vec(),
    })
    .await?;
    conn.flush().await?;
    let answer: ResponseOne = conn.read_prompt_value().await?;
    if !answer.error.is_empty() {
        return Ok(());
    }
    let shown = tokio::time::timeout(SOCKET_TIMEOUT, show_cookie(&answer)).await;
    let Ok(Ok(stream)) = shown else {
        conn.write_value(&RequestTwo {
            sent_server_cookie: false,
        })
        .await?;
        conn.flush().await?;
        return Ok(());
    };
    conn.write_value(&RequestTwo {
        sent_server_cookie: true,
    })
    .await?;
    conn.flush().await?;
    let verdict: ResponseTwo = conn.read_prompt_value().await?;
    if !verdict.error.is_empty() {
        return Ok(());
    }
    conn.replace_transport(Transport::Unix(stream)).await?;
    let mut echoed = [0; COOKIE_BYTES];
    conn.read_exact(&mut echoed).await?;
    if echoed == cookie {
        Ok(())
    } else {
        Err(ConnError::WrongCookie.into())
    }
}

async fn show_cookie(answer: &ResponseOne) -> std::io::Result<UnixStream> {
    let path = match answer.socket_pathname.strip_prefix('@') {
        // tokio takes a leading NUL for the abstract namespace.
        Some(name) => PathBuf::from(format!("\0{name}")),
        None => PathBuf::from(&answer.socket_pathname),
    };
    let mut stream = UnixStream::connect(path).await?;
    stream.write_all(&answer.server_cookie).await?;
    stream.read_u8().await?;
    Ok(stream)
}
