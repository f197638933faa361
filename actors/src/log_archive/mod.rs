//! Logs of builds that have ended, on the disk (`imaginator.md §20`).
//!
//! `DIR/STREAM/TIMESTAMP/{buildInfo,buildLog}`: the layout of the original, which reads what is written here, as this reads what it
//! wrote. The files are the only truth; the list in memory is read from them at the start.
//!
//! Promises: a build is in the archive whole or not at all; the archive stays under its quota, the oldest go first; no name leads
//! out of the directory. What goes wrong is logged and shown, and fails no build. Lacks on purpose: an index of words.

mod actor;
mod disk;
mod entry;
mod error;
mod info;
mod search;
mod shared;

pub(crate) use actor::{ArchiveActor, NAME};
pub use entry::{ArchiveListing, ArchivedBuild};
pub use error::ArchiveError;
pub use search::{
    FoundLog, SEARCH_LINES, SEARCH_LINES_PER_LOG, SEARCH_READ_BYTES, SEARCH_SHOWN_BYTES, SEARCH_TEXT_BYTES,
    SearchQuery, SearchResult,
};
pub(crate) use shared::{ArchiveJob, Shared};

use crate::build_runner::BuildLog;
use crate::handle::{CallError, Handle, Health};
use std::path::PathBuf;
use std::sync::Arc;

/// Where logs are kept.
#[derive(Debug, Clone)]
pub struct Archiving {
    /// The directory; made if it is not there.
    pub dir: PathBuf,
    /// Bytes the archive may take.
    pub quota_bytes: u64,
}

/// Less than this turns the archive off (`imaginator.md §2`).
pub const QUOTA_MIN_BYTES: u64 = 1 << 20;

/// The archive's handle. Clones are cheap.
#[derive(Clone)]
pub struct LogArchive {
    pub(crate) shared: Arc<Shared>,
    pub(crate) actor: Handle<ArchiveActor>,
}

impl LogArchive {
    /// What there is.
    pub fn listing(&self) -> Arc<ArchiveListing> {
        self.shared.listing()
    }

    /// A log by its name, `STREAM/TIMESTAMP`, without leaving the directory: a name that is not in the listing is unknown.
    pub fn log(&self, name: &str) -> Result<Arc<BuildLog>, ArchiveError> {
        self.shared.log(name)
    }

    /// Searches, newest first, within the bounds of this module's constants.
    pub async fn search(&self, query: SearchQuery) -> Result<SearchResult, ArchiveError> {
        self.shared.search(query).await
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        health.trouble = self.shared.last_error();
        health.last_error = health.trouble.clone().or(health.last_error);
        health
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(actor::DebugPanic).await
    }
}
