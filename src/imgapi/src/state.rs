//! What all requests share.

use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use actors::{Jobs, KeyRing, RepositorySystem};
use arc_swap::ArcSwap;
use repository::catalogue::Catalogue;
use repository::configuration::Settings;
use repository::signature::KeyTable;

use crate::interim::Interim;

/// The shared state, cheap to clone.
pub(crate) type Shared = Arc<State>;

/// What clients are told: the release whose interface this is.
pub(crate) const INTERFACE_VERSION: &str = "4.13.1";

/// See the module's text.
pub(crate) struct State {
    /// Stands for the actor of the images till it is there.
    pub(crate) interim: Interim,
    keys: KeyRing,
    jobs: Jobs,
    settings: Arc<ArcSwap<Settings>>,
    host_name: HeaderValue,
}

impl State {
    pub(crate) fn new(
        interim: Interim,
        system: &RepositorySystem,
        settings: Arc<ArcSwap<Settings>>,
    ) -> Shared {
        let host = rustix::system::uname().nodename().to_bytes().to_vec();
        Arc::new(Self {
            interim,
            keys: system.keys.clone(),
            jobs: system.jobs.clone(),
            settings,
            host_name: HeaderValue::from_bytes(&host).unwrap_or_else(|_| HeaderValue::from_static("unknown")),
        })
    }

    /// The settings of the moment: one request uses one of them from its beginning to its end.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// The images of the moment.
    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.interim.catalogue)
    }

    /// The keys of the moment.
    pub(crate) fn keys(&self) -> Arc<KeyTable> {
        self.keys.table()
    }

    /// The keys' owner: for whoever changes them.
    pub(crate) fn key_ring(&self) -> &KeyRing {
        &self.keys
    }

    /// Jobs.
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// The header `x-server-name`.
    pub(crate) fn host_name(&self) -> &HeaderValue {
        &self.host_name
    }
}
