//! Callers on the same machine move from TCP to a Unix socket (srpc.md §6).

mod listening;
mod pending;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UnixStream;

use super::UnixSocket;
use crate::call::Call;
use crate::conn::{Conn, Transport};
use crate::method::{Raw, RawError};
use crate::upgrade_messages::{COOKIE_BYTES, RequestOne, RequestTwo, ResponseOne, ResponseTwo};
use pending::Pending;

/// The built-in method's name.
pub(crate) const LOCAL_UPGRADE_TO_UNIX: &str = "LocalUpgradeToUnix";
/// Bytes of a caller's cookie; the reference's have [`COOKIE_BYTES`].
const CLIENT_COOKIE_MAX_BYTES: usize = 64;

/// The socket of one server and the callers on their way to it.
#[derive(Default)]
pub(crate) struct Upgrade {
    socket: Mutex<Option<UnixSocket>>,
    listening: tokio::sync::Mutex<Option<listening::Listening>>,
    pending: Arc<Pending>,
}

impl Upgrade {
    pub(crate) fn configure(&self, socket: UnixSocket) {
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = Some(socket);
    }

    /// The name to tell callers; starts listening on first use, and again if the thread that did it is gone. `None`: no socket.
    async fn listen(&self) -> Option<String> {
        let socket = self
            .socket
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        let mut listening = self.listening.lock().await;
        if let Some(current) = listening.as_ref().filter(|current| current.is_running()) {
            return Some(current.name.clone());
        }
        match listening::start(&socket, Arc::clone(&self.pending)) {
            Ok(Some(started)) => Some(listening.insert(started).name.clone()),
            Ok(None) => None,
            Err(error) => {
                tracing::error!(%error, ?socket, "cannot listen on the Unix socket");
                None
            }
        }
    }
}

pub(crate) struct LocalUpgradeToUnix(pub(crate) Arc<Upgrade>);

impl Raw for LocalUpgradeToUnix {
    const NAME: &'static str = LOCAL_UPGRADE_TO_UNIX;

    // Open to everybody; it must not open the plain paths, though: the registry looks at real services only.
    fn access(&self) -> crate::Access {
        crate::Access {
            public: false,
            unauthenticated: true,
        }
    }

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let request: RequestOne = conn.read_prompt_value().await?;
        if request.client_cookie.len() > CLIENT_COOKIE_MAX_BYTES {
            return Err(RawError::from("client cookie too long"));
        }
        let issued = match self.0.listen().await {
            Some(name) => self.0.pending.issue()?.map(|issued| (issued, name)),
            None => None,
        };
        let Some((issued, socket_pathname)) = issued else {
            conn.write_value(&ResponseOne {
                error: "no socket".to_owned(),
                ..ResponseOne::default()
            })
            .await?;
            return Ok(());
        };
        let server_cookie = issued.cookie.to_vec();
        conn.write_value(&ResponseOne {
            error: String::new(),
            server_cookie,
            socket_pathname,
        })
        .await?;
        conn.flush().await?;
        let request_two: RequestTwo = conn.read_prompt_value().await?;
        if !request_two.sent_server_cookie {
            return Ok(());
        }
        let Some(stream) = issued.redeem() else {
            conn.write_value(&ResponseTwo {
                error: "cookie not found".to_owned(),
            })
            .await?;
            return Ok(());
        };
        conn.write_value(&ResponseTwo::default()).await?;
        // The stream was accepted on whatever thread listens; from here on it belongs to this one.
        let stream = UnixStream::from_std(stream)?;
        conn.replace_transport(Transport::Unix(stream)).await?;
        conn.write_all(&request.client_cookie).await?;
        conn.flush().await?;
        Ok(())
    }
}

const _: () = assert!(COOKIE_BYTES <= CLIENT_COOKIE_MAX_BYTES);
