//! Keeps a server's credentials fresh.

use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{CredentialFiles, Credentials};
use crate::server::Server;

/// Loads credentials again when half of their life is over, and when asked to. What cannot be loaded is logged, and the
/// old ones stay.
pub struct Reloader {
    files: CredentialFiles,
    current: ArcSwap<Credentials>,
    wanted: Notify,
}

impl Reloader {
    /// With what was loaded at the start.
    pub fn new(files: CredentialFiles, current: Credentials) -> Arc<Self> {
        Arc::new(Self {
            files,
            current: ArcSwap::from_pointee(current),
            wanted: Notify::new(),
        })
    }

    /// The newest credentials; daemons take their client certificate from here for each connection.
    pub fn current(&self) -> Arc<Credentials> {
        self.current.load_full()
    }

    /// Asks for a reload soon, as on SIGHUP.
    pub fn request(&self) {
        self.wanted.notify_one();
    }

    /// Runs until `stop`. `server` gets what is loaded. Needs a tokio runtime, with blocking threads for the files.
    pub async fn run(self: Arc<Self>, server: Arc<Server>, stop: CancellationToken) {
        loop {
            let delay = self.current.load().reload_delay(SystemTime::now());
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(delay) => {}
                () = self.wanted.notified() => {}
            }
            let files = self.files.clone();
            let loaded = tokio::task::spawn_blocking(move || files.load()).await;
            match loaded {
                Ok(Ok(credentials)) => self.install(credentials, &server),
                Ok(Err(error)) => {
                    tracing::error!(%error, "reloading credentials failed, keeping the old ones")
                }
                Err(error) => tracing::error!(%error, "reloading credentials failed, keeping the old ones"),
            }
        }
    }

    fn install(&self, credentials: Credentials, server: &Server) {
        if credentials.server.is_some() != self.current.load().server.is_some() {
            // A CA file that vanished must not open a running server to everybody, nor one that appeared shut callers out.
            tracing::error!("a CA file has come or gone: restart to change between TLS and insecure mode");
            return;
        }
        server.set_tls(credentials.server.clone());
        self.current.store(Arc::new(credentials));
        tracing::info!("credentials reloaded");
    }
}
