//! Connections to another server for fetching.

use super::error::ReplicationError;
use image_client::ImageServer;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// For resolving the name and making the TCP connection, as the original's (`imageserver.md §7.2`).
const DIAL_TIMEOUT: Duration = Duration::from_secs(60);

/// For a whole call. A tree of 30,000 files comes in a second; over a thin line it may take minutes.
const CALL_TIMEOUT: Duration = Duration::from_secs(600);

/// Connections kept open without work. More are not in use at a time.
const IDLE_CONNECTIONS: usize = 12;

/// How to connect to a server. Asked anew for each connection, since certificates are reloaded.
pub(crate) type Connect = Arc<dyn Fn() -> srpc::ConnectOptions + Send + Sync>;

/// The connections of one session: they end with it.
pub(crate) struct Connections {
    options: Connect,
    idle: Mutex<Vec<ImageServer>>,
}

impl Connections {
    pub(crate) fn new(options: Connect) -> Connections {
        Connections {
            options,
            idle: Mutex::default(),
        }
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> Result<ImageServer, ReplicationError> {
        let options = srpc::ConnectOptions {
            dial_timeout: DIAL_TIMEOUT,
            call_timeout: Some(CALL_TIMEOUT),
            ..(self.options)()
        };
        Ok(ImageServer::connect(&options).await?)
    }

    /// One that is idle, or a new one. To be given [back](Self::put_back) when a call has ended well.
    pub(crate) async fn take(&self) -> Result<ImageServer, ReplicationError> {
        let idle = self.idle.lock().pop();
        match idle {
            Some(server) => Ok(server),
            None => self.connect().await,
        }
    }

    pub(crate) fn put_back(&self, server: ImageServer) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(server);
        }
    }
}
