//! What outlives an incarnation of the actor.

use super::{ArchiveError, ArchiveListing, Archiving, SearchQuery, SearchResult};
use crate::build_runner::BuildLog;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::sync::Arc;

pub(crate) struct Shared {
    pub(super) config: Archiving,
    listing: ArcSwap<ArchiveListing>,
    last_error: Mutex<Option<String>>,
    pub(super) allow_debug_panic: bool,
}

impl Shared {
    pub(crate) fn new(config: Archiving, allow_debug_panic: bool) -> Shared {
        Shared {
            config,
            listing: ArcSwap::default(),
            last_error: Mutex::default(),
            allow_debug_panic,
        }
    }

    pub(super) fn listing(&self) -> Arc<ArchiveListing> {
        self.listing.load_full()
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error.lock().clone()
    }

    pub(super) fn log(&self, name: &str) -> Result<Arc<BuildLog>, ArchiveError> {
        let listing = self.listing();
        let build = listing
            .find(name)
            .ok_or_else(|| ArchiveError::Unknown(name.to_owned()))?;
        let path = self.config.dir.join(&build.name).join("buildLog");
        Ok(Arc::new(BuildLog::archived(path, build.log_bytes)))
    }

    pub(super) async fn search(&self, _query: SearchQuery) -> Result<SearchResult, ArchiveError> {
        Ok(SearchResult::default())
    }
}
