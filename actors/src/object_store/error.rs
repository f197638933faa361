//! Errors about objects. Texts marked with a section are seen by peers and are the original's.

use crate::handle::CallError;
use crate::pool::PoolError;
use hash::Hash;
use storage::StorageError;

/// What can go wrong with objects.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObjectError {
    /// One object an image needs is absent (`imageserver.md §2.4`).
    #[error("object: {0} is not available")]
    NotAvailable(Hash),
    /// Several are.
    #[error("{0} objects are not available")]
    ManyNotAvailable(usize),
    /// One object asked for is absent (`imageserver.md §4.3`).
    #[error("unknown object: {0}")]
    Unknown(Hash),
    /// Several are; the hash is the last missing one.
    #[error("first of {count} unknown objects: {hash}")]
    ManyUnknown {
        /// How many.
        count: usize,
        /// The last missing one.
        hash: Hash,
    },
    /// The stored bytes are not what the name says.
    #[error("object: {0} is damaged on disk and is not served: add it again to repair it")]
    Corrupt(Hash),
    /// A deletion ran out of objects (`imageserver.md §3.8`).
    #[error("no more objects to delete")]
    NoMoreObjects,
    /// Images whose objects are unknown forbid deletion.
    #[error(
        "{0} images cannot be decoded, so that nobody knows which objects they need: delete or restore them first"
    )]
    ReferencesUnknown(usize),
    /// Too much is being stored at once.
    #[error("too many objects are being stored: try again later")]
    NoStagingRoom,
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The actor.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Work on a pool panicked.
    #[error("{0}")]
    Internal(String),
}

impl From<PoolError> for ObjectError {
    fn from(error: PoolError) -> Self {
        ObjectError::Internal(error.to_string())
    }
}
