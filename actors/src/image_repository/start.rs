//! Starting and stopping.

use super::{ImageRepository, RepositoryError};
use crate::Clock;
use repository::manifest::Rules;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// Where images are kept, and by which rules.
#[derive(Clone, Debug)]
pub struct RepositoryStore {
    /// The base directory, which must be there.
    pub base: PathBuf,
    /// What records are checked against when they are read.
    pub rules: Rules,
    /// By which placeholders expire.
    pub clock: Clock,
    /// Time between two updates of the index that speeds the next start, while there are changes.
    pub index_pause: Duration,
    /// Lets messages that panic on purpose through: for tests alone.
    pub allow_debug_panic: bool,
}

impl RepositoryStore {
    /// With the usual settings.
    pub fn new(base: impl Into<PathBuf>, rules: Rules) -> Self {
        Self {
            base: base.into(),
            rules,
            clock: Clock::default(),
            index_pause: Duration::from_secs(60),
            allow_debug_panic: false,
        }
    }
}

/// The running repository. Dropped, it stops.
pub struct ImageRepositorySystem {
    repository: ImageRepository,
    given_up: watch::Receiver<Option<String>>,
}

/// Locks the directory, carries out what an earlier run had begun, reads all records, starts the actor. Blocks until everything
/// is read. A record that cannot be read is a warning and no error.
///
/// # Errors
/// The directory is in use by another process, or cannot be read; no threads.
pub fn start(_store: RepositoryStore) -> Result<ImageRepositorySystem, RepositoryError> {
    Err(super::not_yet())
}

impl ImageRepositorySystem {
    /// The handle.
    pub fn repository(&self) -> &ImageRepository {
        &self.repository
    }

    /// Holds a text once the actor was given up: the daemon should say it and end.
    pub fn given_up(&self) -> watch::Receiver<Option<String>> {
        self.given_up.clone()
    }

    /// Takes no further changes, waits for those in progress, writes the index, and lets go of the directory. Blocks.
    pub fn stop(self) {}
}
