//! Why replication does not get on.

use crate::{IndexError, ObjectError};
use hash::Hash;

/// What can go wrong while following another server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicationError {
    /// The upstream, or the way to it.
    #[error(transparent)]
    Upstream(#[from] image_client::Error),
    /// It tells of more than we keep in mind.
    #[error("the upstream lists more than {0} images and directories")]
    ListTooLong(usize),
    /// An image without a tree cannot be stored.
    #[error("the upstream sent it without its file-system")]
    NoFileSystem,
    /// The upstream has an image and lacks part of it.
    #[error("the upstream lacks object {0}")]
    ObjectMissing(Hash),
    /// What came is not what its name says.
    #[error("object {expected} came damaged: it hashes to {computed}")]
    ObjectDamaged {
        /// Its name; boxed to keep errors small.
        expected: Box<Hash>,
        /// What the bytes hash to.
        computed: Box<Hash>,
    },
    /// A client of ours is still adding it.
    #[error("it is still being added here")]
    BeingAdded,
    /// Our image index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Our object store.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A defect in this program.
    #[error("internal error: {0}")]
    Panicked(String),
}

impl ReplicationError {
    /// Trying again cannot help: the name itself is one we never store.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, ReplicationError::Index(IndexError::Name { .. }))
    }
}
