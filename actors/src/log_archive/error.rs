//! Why the archive has no answer.

use crate::CallError;
use std::path::PathBuf;

/// What can go wrong with archived logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// There is no log of this name.
    #[error("no build log of this name is in the archive: {0}")]
    Unknown(String),
    /// A search without anything to search for, or for too much.
    #[error("search for a text of 1 to {0} bytes")]
    SearchText(usize),
    /// The directory or a file in it.
    #[error("build log archive: {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// One log is more than all may be.
    #[error("build log archive: a log of {} is more than the quota of {}", human::bytes(*needed), human::bytes(*quota))]
    OverQuota {
        /// Bytes it would take.
        needed: u64,
        /// Bytes all may take.
        quota: u64,
    },
    /// A defect in this program.
    #[error("internal error: {0}")]
    Internal(String),
    /// The archive's actor.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl ArchiveError {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> ArchiveError {
        let path = path.into();
        move |source| ArchiveError::File { path, source }
    }
}
