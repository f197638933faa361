//! A file that a client sends, on its way to its place.

use super::{RepositoryError, Slot};
use repository::Uuid;
use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;
use storage::{FileStore, Incoming};

use parking_lot::Mutex;

/// The name of uploads that are kept for another day.
pub(super) const KEPT: &str = "resume";

/// Uploads of all images in progress, at most: each is an open file.
pub const MAXIMUM_UPLOADS: usize = 1024;

/// An upload. Its calls block: they are for a worker's thread. Dropped, it leaves nothing; kept, it leaves what arrived.
#[derive(Debug)]
pub struct Upload {
    pub(super) uuid: Uuid,
    pub(super) slot: Slot,
    /// The temporary file's name below the base directory.
    pub(super) name: String,
    pub(super) incoming: Box<dyn Incoming>,
    /// Whether it is one of those that go on another day.
    pub(super) is_resumable: bool,
    /// Whether all of it is on stable storage and stays, whoever drops this.
    pub(super) is_secured: bool,
    pub(super) claim: Arc<Claim>,
}

impl Upload {
    /// The image it belongs to.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Where it goes.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Bytes that are there; of a resumed one those of earlier days too.
    pub fn received(&self) -> u64 {
        self.incoming.length()
    }

    /// Appends.
    ///
    /// # Errors
    /// `NoSpace`, `Storage`: what was there before stays.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), RepositoryError> {
        Ok(self.incoming.append(bytes)?)
    }

    /// The bytes that are there, from the first one on: who goes on with an upload computes their digests.
    ///
    /// # Errors
    /// `Storage`.
    pub fn reader(&self) -> Result<File, RepositoryError> {
        Ok(self.incoming.reader()?)
    }

    /// Leaves what arrived for another day, on stable storage; gives how many bytes. For uploads begun with `resume` alone:
    /// others are found by nobody and removed at the next start.
    ///
    /// # Errors
    /// `NoSpace`, `Storage`: it is removed.
    pub fn keep(self) -> Result<u64, RepositoryError> {
        Ok(self.incoming.keep()?)
    }

    /// Has all of it on stable storage. If it was begun with `resume`, it stays when it is dropped from now on: neither a change that
    /// is refused nor a client that leaves costs what was sent. Who does not want it any more
    /// [discards](super::ImageRepository::discard_upload) it.
    ///
    /// # Errors
    /// `NoSpace`, `Storage`: it is removed when it is dropped.
    pub fn secure(&mut self) -> Result<(), RepositoryError> {
        self.is_secured = false;
        let flushed = self.incoming.flush();
        self.is_secured = self.is_resumable && flushed.is_ok();
        self.incoming.hold(self.is_secured);
        Ok(flushed?)
    }

    /// Whether the journal has it.
    pub(super) fn set_noted(&mut self, is_noted: bool) {
        self.incoming.hold(is_noted || self.is_secured);
    }
}

/// Files under temporary names that a new image will get. Dropped, they go, unless the journal has them.
#[derive(Debug)]
pub(super) struct WaitingFiles {
    files: Arc<dyn FileStore>,
    /// Names of waiting files, and their places.
    pub(super) moves: Vec<(String, String)>,
    pub(super) is_noted: bool,
}

impl WaitingFiles {
    pub(super) fn new(files: Arc<dyn FileStore>, moves: Vec<(String, String)>) -> Self {
        Self {
            files,
            moves,
            is_noted: false,
        }
    }
}

impl Drop for WaitingFiles {
    fn drop(&mut self) {
        if self.is_noted {
            return;
        }
        for (waiting, _) in &self.moves {
            if let Err(error) = self.files.remove(waiting) {
                tracing::warn!("{waiting} stays till the next start: {error}");
            }
        }
    }
}

/// Names of uploads in progress.
pub(super) type Claims = Arc<Mutex<HashSet<String>>>;

/// One upload's name, until it ends.
#[derive(Debug)]
pub(super) struct Claim {
    claims: Claims,
    name: String,
}

impl Claim {
    /// Takes a name, if it is free and there are not too many.
    pub(super) fn take(claims: &Claims, name: &str) -> Result<Self, RepositoryError> {
        let mut names = claims.lock();
        if names.len() >= MAXIMUM_UPLOADS || !names.insert(name.to_owned()) {
            return Err(RepositoryError::Busy);
        }
        drop(names);
        Ok(Self {
            claims: Arc::clone(claims),
            name: name.to_owned(),
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.name);
    }
}
