//! Bytes on their way in: a file without a name, hashed while it is written.

use crate::error::IoContext;
use crate::{Named, Result, StorageError};
use hash::{Hash, Hasher};
use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Object files are readable by the server alone.
const OBJECT_MODE: u32 = 0o600;

/// What staging threads share.
#[derive(Debug, Default)]
pub(super) struct StagingState {
    /// The file system has no O_TMPFILE (NFS, some FUSE): temporaries get names.
    named: AtomicBool,
    next_name: AtomicU64,
    /// Number of group flushes that failed, see [`Staged::epoch`].
    pub(super) failed_flushes: AtomicU64,
}

/// An object being received. Dropping it removes what was written.
#[derive(Debug)]
pub struct StagingFile {
    file: File,
    hasher: Hasher,
    size: u64,
    name: Option<TemporaryName>,
    epoch: u64,
}

/// A whole object with its hash, written but neither durable nor visible. Holds one file descriptor; dropping it
/// removes the bytes.
#[derive(Debug)]
pub struct Staged {
    pub(super) hash: Hash,
    pub(super) size: u64,
    pub(super) file: File,
    pub(super) name: Option<TemporaryName>,
    /// Failed group flushes before the first byte was written. A failed `syncfs` may have been told about *these*
    /// bytes, and tells only once: objects staged before it must ask for their own file's state (`fdatasync`).
    pub(super) epoch: u64,
}

/// A temporary that has a name, unlinked when dropped.
#[derive(Debug)]
pub(super) struct TemporaryName {
    pub(super) directory: Arc<OwnedFd>,
    pub(super) name: String,
}

impl Drop for TemporaryName {
    fn drop(&mut self) {
        // What stays behind is removed by the next scan.
        let _ = unlinkat(&*self.directory, &self.name, AtFlags::empty());
    }
}

impl StagingState {
    pub(super) fn begin(&self, root: &OwnedFd, temporaries: &Arc<OwnedFd>) -> Result<StagingFile> {
        let epoch = self.failed_flushes.load(Ordering::Acquire);
        let mode = Mode::from_raw_mode(OBJECT_MODE);
        if !self.named.load(Ordering::Relaxed) {
            match openat(root, ".", OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, mode) {
                Ok(descriptor) => return Ok(StagingFile::new(descriptor, None, epoch)),
                // EISDIR: a kernel or file system that does not know the flag and sees a directory opened for writing.
                Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {
                    self.named.store(true, Ordering::Relaxed);
                    tracing::info!("object directory: no O_TMPFILE here, temporaries get names");
                }
                Err(error) => return Err(error).context("write object", || "temporary".to_owned()),
            }
        }
        let name = format!("{}", self.next_name.fetch_add(1, Ordering::Relaxed));
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut opened = openat(temporaries, &name, flags, mode);
        if matches!(opened, Err(Errno::EXIST)) {
            // Left by a predecessor that was killed.
            let _ = unlinkat(temporaries, &name, AtFlags::empty());
            opened = openat(temporaries, &name, flags, mode);
        }
        let descriptor = opened.context("write object", || "temporary".to_owned())?;
        let name = TemporaryName {
            directory: temporaries.clone(),
            name,
        };
        Ok(StagingFile::new(descriptor, Some(name), epoch))
    }

    #[cfg(test)]
    pub(super) fn pretend_no_tmpfile(&self) {
        self.named.store(true, Ordering::Relaxed);
    }
}

impl StagingFile {
    fn new(descriptor: OwnedFd, name: Option<TemporaryName>, epoch: u64) -> StagingFile {
        StagingFile {
            file: File::from(descriptor),
            hasher: Hasher::new(),
            size: 0,
            name,
            epoch,
        }
    }

    /// Appends. After an error the object is lost: drop it.
    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        self.hasher.update(data);
        self.size += data.len() as u64;
        self.file
            .write_all(data)
            .context("write object", || "temporary".to_owned())
    }

    /// Makes this, to which nothing was written yet, the whole of `object`.
    pub(crate) fn fill(mut self, object: &Named) -> Result<Staged> {
        if object.data().is_empty() {
            return Err(StorageError::ZeroLength);
        }
        self.file
            .write_all(object.data())
            .context("write object", || object.hash().to_string())?;
        Ok(Staged {
            hash: object.hash(),
            size: object.data().len() as u64,
            file: self.file,
            name: self.name,
            epoch: self.epoch,
        })
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Ends the object. `ZeroLength` if nothing was written.
    pub fn finish(self) -> Result<Staged> {
        if self.size == 0 {
            return Err(StorageError::ZeroLength);
        }
        Ok(Staged {
            hash: self.hasher.finish(),
            size: self.size,
            file: self.file,
            name: self.name,
            epoch: self.epoch,
        })
    }
}

impl Staged {
    /// The name it will get.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// A second handle on the bytes, for sending them elsewhere before they are committed. Read it with positions:
    /// the offset is shared.
    pub fn reader(&self) -> Result<File> {
        self.file
            .try_clone()
            .context("read object", || self.hash.to_string())
    }
}
