//! The images of a repository with a REST API: their records, files and icons on the disk, and the snapshot that answers
//! (`docs/imgapi.md`).
//!
//! Who changes an image reads its [`Stored`] record, makes another of it with a pure function of `repository`, and sends that with
//! the revision it was made of. If the image changed meanwhile the answer is [`RepositoryError::Changed`]: read again, at most
//! [`MAXIMUM_ATTEMPTS`] times. So two changes at once lose nothing, and the actor computes nothing.
//!
//! Promises:
//! * What was acknowledged is on stable storage, in the catalogue, and stays after a kill at any instruction. What was not is
//!   there whole or not at all: a change of several files (a record and its file, a deletion) is first written to a journal,
//!   which the next start carries out.
//! * Changes that wait are made together: their records are flushed together.
//! * A record that cannot be read is told once and never touched.
//! * A full disk fails changes that need room; deletions go on.
//!
//! Lacks on purpose: rules of manifests, access, HTTP, digests.

mod change;
mod error;
mod slot;
mod start;
mod stored;
mod upload;

pub use change::{ChangeKind, RepositoryChange};
pub use error::RepositoryError;
pub use slot::Slot;
pub use start::{ImageRepositorySystem, RepositoryStore, start};
pub use stored::{Revision, Stored};
pub use upload::{MAXIMUM_UPLOADS, Upload};

use crate::handle::{CallError, Health};
use repository::Uuid;
use repository::catalogue::Catalogue;
use repository::manifest::{FileEntry, IconEntry, Record};
use std::fs::File;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::broadcast;

/// Tries of a change whose image others change at the same time.
pub const MAXIMUM_ATTEMPTS: usize = 8;

/// The repository's handle. Clones are cheap.
#[derive(Clone)]
pub struct ImageRepository {}

/// Result of this room.
type Result<T> = std::result::Result<T, RepositoryError>;

impl ImageRepository {
    /// All images. Never waits.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        Arc::default()
    }

    /// An image's record, with what a change of it needs; `None` if there is no such image.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn record(&self, _uuid: Uuid) -> Result<Option<Stored>> {
        Err(not_yet())
    }

    /// Adds an image.
    ///
    /// # Errors
    /// `Exists`, `NoSpace`, `Storage`, `Call`.
    pub async fn create(&self, _record: Record) -> Result<Stored> {
        Err(not_yet())
    }

    /// Adds an image with the files of another one (clones).
    ///
    /// # Errors
    /// `Exists`, `NoFile`: the other has none; `NoSpace`, `Storage`, `Call`.
    pub async fn create_with_files_of(&self, _record: Record, _other: Uuid) -> Result<Stored> {
        Err(not_yet())
    }

    /// Gives an image another record.
    ///
    /// # Errors
    /// `Changed`, `Missing`, `NoSpace`, `Storage`, `Call`.
    pub async fn replace(&self, _record: Record, _of: Revision) -> Result<Stored> {
        Err(not_yet())
    }

    /// Gives an image another record with another UUID; its files go along.
    ///
    /// # Errors
    /// `Changed`, `Missing`, `Exists`: the new name is taken; `NoSpace`, `Storage`, `Call`.
    pub async fn rename(&self, _old: Uuid, _record: Record, _of: Revision) -> Result<Stored> {
        Err(not_yet())
    }

    /// Removes an image, its files and its icon. The archived manifest stays.
    ///
    /// # Errors
    /// `Changed`, `Missing`, `Storage`, `Call`. With `Storage` the image may be gone and files of it be there until the next start.
    pub async fn delete(&self, _uuid: Uuid, _of: Revision) -> Result<()> {
        Err(not_yet())
    }

    /// Begins to receive a file. With `resume` it goes on where an earlier one was [kept](Upload::keep), and there is one at a
    /// time for each place; without, each is one of its own, and the last one committed stays.
    ///
    /// # Errors
    /// `Missing`, `Busy`, `NoSpace`, `Storage`.
    pub async fn begin_upload(&self, _uuid: Uuid, _slot: Slot, _resume: bool) -> Result<Upload> {
        Err(not_yet())
    }

    /// How many bytes of an upload were kept for another day; `None` if none was.
    ///
    /// # Errors
    /// `Busy`: somebody goes on with it now; `Storage`.
    pub async fn kept_upload(&self, _uuid: Uuid, _slot: Slot) -> Result<Option<u64>> {
        Err(not_yet())
    }

    /// Forgets what was kept of an upload; false if nothing was.
    ///
    /// # Errors
    /// `Busy`: somebody goes on with it now; `Storage`.
    pub async fn discard_upload(&self, _uuid: Uuid, _slot: Slot) -> Result<bool> {
        Err(not_yet())
    }

    /// Puts a file or icon in its place and gives the image the record that says so, both or neither. If it fails with `Changed`,
    /// the upload comes back: make the change again of the image as it is now.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn commit(
        &self,
        upload: Upload,
        _record: Record,
        _of: Revision,
    ) -> std::result::Result<Stored, CommitError> {
        Err(CommitError {
            error: not_yet(),
            upload: Some(Box::new(upload)),
        })
    }

    /// Gives an image a record without an icon, and removes the icon.
    ///
    /// # Errors
    /// `Changed`, `Missing`, `NoSpace`, `Storage`, `Call`.
    pub async fn drop_icon(&self, _record: Record, _of: Revision) -> Result<Stored> {
        Err(not_yet())
    }

    /// Opens a file. Its length may be more than the entry says, if somebody put it there by hand: the entry's counts.
    ///
    /// # Errors
    /// `Missing`, `NoFile`, `Storage`.
    pub async fn open_file(&self, _uuid: Uuid, _index: usize) -> Result<(File, FileEntry)> {
        Err(not_yet())
    }

    /// Opens an icon.
    ///
    /// # Errors
    /// `Missing`, `NoFile`, `Storage`.
    pub async fn open_icon(&self, _uuid: Uuid) -> Result<(File, IconEntry)> {
        Err(not_yet())
    }

    /// Changes from now on. Who lags behind too far is told so by the receiver, and looks at the catalogue.
    pub fn changes(&self) -> broadcast::Receiver<RepositoryChange> {
        broadcast::channel(1).1
    }

    /// Removes placeholders whose time is over; gives how many. The actor does it every half hour by itself.
    ///
    /// # Errors
    /// `Storage`, `Call`.
    pub async fn purge_expired(&self, _now: SystemTime) -> Result<usize> {
        Err(not_yet())
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        Health {
            actor: NAME,
            state: crate::ActorState::Starting,
            queue_len: 0,
            last_error: None,
            trouble: None,
            restarts: 0,
        }
    }
}

/// A file that was not put in its place.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct CommitError {
    /// Why.
    pub error: RepositoryError,
    /// The upload, where it can be tried again. Dropped, it leaves nothing.
    pub upload: Option<Box<Upload>>,
}

const NAME: &str = "ImageRepository";

fn not_yet() -> RepositoryError {
    CallError::Stopped { actor: NAME }.into()
}
