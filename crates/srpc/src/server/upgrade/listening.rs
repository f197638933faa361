//! The task that accepts connections on the Unix socket.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::pending::{Cookie, Pending};
use crate::server::UnixSocket;

/// Connections that have not shown a cookie yet; further ones wait in the socket's backlog.
const NAMELESS_MAX: usize = 64;
/// How long a connection may take to show its cookie.
const COOKIE_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause after a failed accept, as when file descriptors have run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

pub(super) struct Listening {
    /// What callers are told.
    pub(super) name: String,
    task: JoinHandle<()>,
}

impl Listening {
    pub(super) fn is_running(&self) -> bool {
        !self.task.is_finished()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `None` if the socket is off.
pub(super) fn start(socket: &UnixSocket, pending: Arc<Pending>) -> io::Result<Option<Listening>> {
    let (path, name) = match socket {
        UnixSocket::Off => return Ok(None),
        // tokio takes a leading NUL for the abstract namespace.
        UnixSocket::Abstract(name) => (PathBuf::from(format!("\0{name}")), format!("@{name}")),
        UnixSocket::Path(path) => {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            (path.clone(), path.display().to_string())
        }
    };
    let listener = UnixListener::bind(path)?;
    let task = tokio::spawn(accept_all(listener, pending));
    Ok(Some(Listening { name, task }))
}

async fn accept_all(listener: UnixListener, pending: Arc<Pending>) {
    let nameless = Arc::new(Semaphore::new(NAMELESS_MAX));
    loop {
        // Never closed, so this cannot fail.
        let Ok(permit) = Arc::clone(&nameless).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept on the Unix socket");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        let pending = Arc::clone(&pending);
        tokio::spawn(async move {
            if let Err(error) = welcome(stream, &pending).await {
                tracing::debug!(%error, "connection on the Unix socket lost");
            }
            drop(permit);
        });
    }
}

async fn welcome(mut stream: UnixStream, pending: &Pending) -> io::Result<()> {
    let mut cookie = Cookie::default();
    tokio::time::timeout(COOKIE_TIMEOUT, stream.read_exact(&mut cookie)).await??;
    pending.shown(cookie, stream.into_std()?);
    Ok(())
}
