//! A listener of its own for programs without web pages: CONNECT and the pages of [`crate::pages`], nothing else.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::{Decision, Server};
use crate::http;

/// How long a peer may take to say what it wants.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after a failed accept, as when file descriptors have run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Accepts connections until the server drains. Must run inside a [`LocalSet`], where the sessions are spawned.
pub async fn serve(server: Arc<Server>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            () = server.draining().cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let server = Arc::clone(&server);
                tokio::task::spawn_local(async move {
                    if let Err(error) = serve_one(&server, stream, peer).await {
                        tracing::debug!(%peer, %error, "request failed");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// Runs [`serve`] on a thread of its own, which ends when the server has drained.
///
/// # Errors
/// The thread, its runtime or the socket cannot be set up.
pub fn spawn_thread(server: Arc<Server>, listener: std::net::TcpListener) -> io::Result<JoinHandle<()>> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name("srpc".to_owned())
        .spawn(move || {
            let local = LocalSet::new();
            local.spawn_local(async move {
                match TcpListener::from_std(listener) {
                    Ok(listener) => serve(server, listener).await,
                    Err(error) => tracing::error!(%error, "cannot listen"),
                }
            });
            // Ends when the listener and all sessions have.
            runtime.block_on(local);
        })
}

async fn serve_one(
    server: &Arc<Server>,
    mut stream: TcpStream,
    peer: std::net::SocketAddr,
) -> io::Result<()> {
    let mut received = BytesMut::new();
    let head = tokio::time::timeout(REQUEST_TIMEOUT, http::read_head(&mut stream, &mut received)).await??;
    let Some(request_line) = head else { return Ok(()) };
    match decide(server, &request_line) {
        Decision::Accept(endpoint) => {
            server.serve_plain(stream, received, peer, endpoint).await;
            Ok(())
        }
        Decision::Refuse(status) => http::answer(&mut stream, status, "").await,
        Decision::Elsewhere => http::answer(&mut stream, 404, "404 page not found\n").await,
        Decision::Page(page) => match page.text(server.registry()) {
            Ok(text) => http::answer(&mut stream, 200, &text).await,
            Err(error) => http::answer(&mut stream, 500, &error).await,
        },
    }
}

/// What to do with a request that begins with this line.
pub(crate) fn decide(server: &Server, request_line: &str) -> Decision {
    let mut words = request_line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    server.endpoint(method, path, query)
}
