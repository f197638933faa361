//! The error of this crate. Cloneable, since one failed flush fails every request of its group.

use hash::Hash;
use rustix::io::Errno;
use std::io;
use std::sync::Arc;

/// What can go wrong in a directory of objects or images. Names are relative to the root: texts travel to clients,
/// and a client has no business knowing where the server keeps its files.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// An operation of the system failed.
    #[error("cannot {action} {what}: {source}")]
    Io {
        /// What was tried, as a verb phrase: `write image`.
        action: &'static str,
        /// Relative name, or the hash of an object.
        what: String,
        /// The system's answer.
        source: Arc<io::Error>,
    },
    /// Another process holds the lock.
    #[error(
        "{directory} is in use by another process{holder}; stop it first, or give this one a directory of its own"
    )]
    Locked {
        /// The directory as configured.
        directory: String,
        /// ` (pid N)` if known.
        holder: String,
    },
    /// There is a non-empty image of that name.
    #[error("image: {name} already exists")]
    Exists {
        /// Image name.
        name: String,
    },
    /// The name belongs to a deleted image (`imageserver.md §6.2`).
    #[error("cannot add previously deleted image: {name}")]
    Tombstone {
        /// Image name.
        name: String,
    },
    /// The directory that should hold the name is not there.
    #[error("no directory for: {name}; make it first")]
    NoDirectory {
        /// Name of the image or directory.
        name: String,
    },
    /// The named image or directory is not there.
    #[error("{name} does not exist")]
    NotFound {
        /// Relative name.
        name: String,
    },
    /// `rmdir` of a directory that holds images, tombstones or metadata.
    #[error("remove {name}: directory not empty")]
    NotEmpty {
        /// Directory name.
        name: String,
    },
    /// A name that could not be a file below the root (`imageserver.md §2.1`).
    #[error("not a usable name: {name:?}")]
    BadName {
        /// The name as given.
        name: String,
    },
    /// Empty objects are never stored (`imageserver.md §6.4`).
    #[error("zero length object cannot be added")]
    ZeroLength,
    /// No such object on disk.
    #[error("unknown object: {hash}")]
    UnknownObject {
        /// The hash asked for.
        hash: Hash,
    },
}

impl StorageError {
    /// True if the file itself cannot be read or is not what it was: its blocks, or what leads to them. Anything else (no
    /// memory, too many open files, no permission) says nothing about it.
    pub fn is_damage(&self) -> bool {
        let StorageError::Io { source, .. } = self else {
            return false;
        };
        matches!(
            source.raw_os_error().map(Errno::from_raw_os_error),
            Some(Errno::IO | Errno::BADMSG | Errno::UCLEAN | Errno::NODATA | Errno::ILSEQ | Errno::FBIG)
        )
    }

    /// True if the disk (or quota) is full: worth another try after room was made.
    pub fn is_out_of_space(&self) -> bool {
        match self {
            StorageError::Io { source, .. } => {
                matches!(
                    source.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                )
            }
            _ => false,
        }
    }
}

/// Gives an I/O result its place: what was tried, on what.
pub(crate) trait IoContext<T> {
    fn context(self, action: &'static str, what: impl FnOnce() -> String) -> crate::Result<T>;
}

impl<T, E: Into<io::Error>> IoContext<T> for Result<T, E> {
    fn context(self, action: &'static str, what: impl FnOnce() -> String) -> crate::Result<T> {
        self.map_err(|error| StorageError::Io {
            action,
            what: what(),
            source: Arc::new(error.into()),
        })
    }
}
