//! Keeps a server's credentials fresh.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::{ArcSwap, ArcSwapOption};
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
    last_error: ArcSwapOption<String>,
}

/// For ever, if there is nothing to wait for.
async fn sleep(delay: Option<Duration>) {
    match delay {
        Some(delay) => tokio::time::sleep(delay).await,
        None => std::future::pending().await,
    }
}

impl Reloader {
    /// With what was loaded at the start.
    pub fn new(files: CredentialFiles, current: Credentials) -> Arc<Self> {
        Arc::new(Self {
            files,
            current: ArcSwap::from_pointee(current),
            wanted: Notify::new(),
            last_error: ArcSwapOption::empty(),
        })
    }

    /// The newest credentials; daemons take their client certificate from here for each connection.
    pub fn current(&self) -> Arc<Credentials> {
        self.current.load_full()
    }

    /// Why the last reload failed, if it did.
    pub fn last_error(&self) -> Option<Arc<String>> {
        self.last_error.load_full()
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
                () = sleep(delay) => {}
                () = self.wanted.notified() => {}
            }
            let files = self.files.clone();
            let loaded = tokio::task::spawn_blocking(move || files.load()).await;
            match loaded {
                Ok(Ok(credentials)) => self.install(credentials, &server),
                Ok(Err(error)) => self.fail(error.to_string()),
                Err(error) => self.fail(error.to_string()),
            }
        }
    }

    fn install(&self, credentials: Credentials, server: &Server) {
        if credentials.server.is_some() != self.current.load().server.is_some() {
            // A CA file that vanished must not open a running server to everybody, nor one that appeared shut callers out.
            self.fail(
                "a CA file has come or gone: restart to change between TLS and insecure mode".to_owned(),
            );
            return;
        }
        server.set_tls(credentials.server.clone());
        self.current.store(Arc::new(credentials));
        self.last_error.store(None);
        tracing::info!("credentials reloaded");
    }

    fn fail(&self, error: String) {
        tracing::error!(error, "reloading credentials failed, keeping the old ones");
        self.last_error.store(Some(Arc::new(error)));
    }
}
