//! Connections to one server, kept for the next call.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use srpc::ConnectOptions;

use crate::{Error, ImageServer};

/// For resolving the name and making the TCP connection, as the original's (`imageserver.md §7.2`).
const DIAL_TIMEOUT: Duration = Duration::from_secs(60);

/// For a whole call. A tree of 30,000 files comes in a second; over a thin line it may take minutes.
const CALL_TIMEOUT: Duration = Duration::from_secs(600);

/// Connections kept open without work. More are not in use at a time.
const IDLE_CONNECTIONS: usize = 12;

/// How to connect to a server. Asked anew for each connection, since certificates are reloaded.
pub type Connect = Arc<dyn Fn() -> ConnectOptions + Send + Sync>;

/// The connections of one session: they end with it.
pub struct Connections {
    options: Connect,
    idle: Mutex<Vec<ImageServer>>,
}

impl Connections {
    /// None yet.
    pub fn new(options: Connect) -> Connections {
        Connections {
            options,
            idle: Mutex::default(),
        }
    }

    /// A new connection.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn connect(&self) -> Result<ImageServer, Error> {
        let options = ConnectOptions {
            dial_timeout: DIAL_TIMEOUT,
            call_timeout: Some(CALL_TIMEOUT),
            ..(self.options)()
        };
        ImageServer::connect(&options).await
    }

    /// One that is idle, or a new one. To be given [back](Self::put_back) when a call has ended well.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn take(&self) -> Result<ImageServer, Error> {
        let idle = self.idle.lock().pop();
        match idle {
            Some(server) => Ok(server),
            None => self.connect().await,
        }
    }

    /// Keeps a connection for the next call.
    pub fn put_back(&self, server: ImageServer) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(server);
        }
    }
}
