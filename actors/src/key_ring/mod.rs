//! The keys of users (imgapi-operations.md §4): those of the configuration, then those of the files `USER.keys` in `etc/authkeys/local` and
//! `etc/authkeys/manta` below the base directory, in the order of their paths.
//!
//! Everybody reads the published table in place. Files are looked at when the kernel tells of a change, on request, and each minute.
//!
//! Promises: a line that is no key is told by file and line, and the others count; of a file that cannot be read the keys stay that it had
//! when it could be read last, and that is told; what happens to other files counts.
//! Lacks on purpose: checking signatures (`repository::signature`).

mod problem;
mod read;
mod shared;

pub use problem::KeyRingProblem;
pub(crate) use shared::Shared;

use crate::file_watcher::{DebugPanic, FileWatcher, Reload, Watched};
use crate::handle::{CallError, Handle, Health};
use repository::signature::KeyTable;
use std::sync::Arc;

/// Bytes of a file, at most: [`MAXIMUM_KEYS_OF_USER`](repository::signature::MAXIMUM_KEYS_OF_USER) keys of the longest kind.
pub const MAXIMUM_KEY_FILE_BYTES: u64 = 1 << 20;

/// Files of one directory, at most.
pub const MAXIMUM_KEY_FILES: usize = 10_000;

/// The handle of the keys. Clones are cheap.
#[derive(Clone)]
pub struct KeyRing {
    pub(crate) shared: Arc<Shared>,
    pub(crate) actor: Handle<FileWatcher<Shared>>,
}

impl KeyRing {
    /// The keys that count now.
    pub fn table(&self) -> Arc<KeyTable> {
        self.shared.table.load_full()
    }

    /// What is wrong with the files and lines that were read last.
    pub fn problems(&self) -> Arc<Vec<KeyRingProblem>> {
        self.shared.problems.load_full()
    }

    /// Reads all keys again, and returns when the new ones count.
    ///
    /// # Errors
    /// The actor cannot be asked.
    pub async fn reload(&self) -> Result<(), CallError> {
        self.actor.call(Reload).await
    }

    /// Has all keys read again soon; waits for nothing.
    pub fn reload_soon(&self) {
        self.shared.watch().ask_again();
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        health.trouble = self.problems().first().map(ToString::to_string);
        health.last_error = health.trouble.clone().or(health.last_error);
        health
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(DebugPanic).await
    }
}
