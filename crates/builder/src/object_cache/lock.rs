//! One process per directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Name of the lock file.
pub const LOCK_NAME: &str = ".lock";

/// Held as long as it lives; the kernel lets go when the process dies, however it dies.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

/// Why a directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{} is in use by another process{holder}", path.display())]
    Held {
        /// The directory.
        path: PathBuf,
        /// ` (pid N)` if known.
        holder: String,
    },
    /// It cannot be made, opened or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DirectoryLock {
    /// Makes the directory, closed to others, if it is not there, and takes its lock.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn take(path: &Path) -> Result<DirectoryLock, LockError> {
        let failed = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        // A link that somebody put into /tmp in its place must not lead us elsewhere, nor theirs be taken for ours.
        let metadata = fs::symlink_metadata(path).map_err(failed)?;
        use std::os::unix::fs::MetadataExt;
        if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(failed(io::Error::other("is not a directory of ours")));
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path.join(LOCK_NAME))
            .map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let is_read = file.read_to_string(&mut text).is_ok();
                let holder = match text.trim().parse::<u32>() {
                    Ok(pid) if is_read => format!(" (pid {pid})"),
                    _ => String::new(),
                };
                let path = path.to_owned();
                return Err(LockError::Held { path, holder });
            }
            Err(error) => return Err(failed(error.into())),
        }
        // For the reader of the refusal only; a full disk is no reason to stop.
        let _ = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(DirectoryLock { _file: file })
    }
}
