//! Objects kept on this host, so that a source image is fetched from the server once.
//!
//! ```text
//! DIR/.lock          one process at a time
//! DIR/.uses          when each object was used last, as of some minute ago
//! DIR/ab/cdef...     an object, named by its hash
//! DIR/.new-N         one that is being copied in; stale ones go at the start
//! ```
//!
//! Nothing is flushed: what a power cut tears is found when it is verified, which every object is before its first use since the
//! start, and again when its file has changed (size, inode, time of change); whoever copies it names it once more. What is bad is removed and
//! fetched. Objects come in by being copied out of the trees of builds that are done with them.
//! When there are too many, those that were not used for the longest time go.

mod adopt;
mod listing;
mod lock;
mod near;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod trim;
mod uses;
mod verify;

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hash::Hash;
use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags, Stat};

pub use lock::{DirectoryLock, LOCK_NAME, LockError};
pub use near::Near;

/// Bytes of the path of an object in the directory: two digits, a slash, the rest.
const PATH_BYTES: usize = 2 * Hash::LENGTH + 1;

/// What names of files that are being copied in begin with.
const NEW_PREFIX: &str = ".new-";

/// The cache. All methods may be called by several builds at a time; they block.
#[derive(Debug)]
pub struct ObjectCache {
    directory: OwnedFd,
    path: PathBuf,
    most_bytes: u64,
    table: Mutex<Table>,
    hits: AtomicU64,
    misses: AtomicU64,
    /// Number of the next file that is copied in.
    next_new: AtomicU64,
    _lock: DirectoryLock,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<Hash, Entry>,
    bytes: u64,
    /// When the times of use were written last, seconds since 1970.
    uses_written: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    size: u64,
    /// Seconds since 1970; good until 2106.
    used: u32,
    /// How the file was when it was verified; nothing if it was not since the start.
    verified: Option<Stamp>,
}

/// What tells that a file has not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// Figures for pages and metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheFigures {
    /// Objects here.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes there may be.
    pub most_bytes: u64,
    /// Objects that builds found here, since the start.
    pub hits: u64,
    /// Objects that they did not.
    pub misses: u64,
}

impl ObjectCache {
    /// Opens a directory, which is made if it is not there, and lists it.
    ///
    /// # Errors
    /// Another process has it, or it cannot be made or read.
    pub fn open(path: PathBuf, most_bytes: u64) -> Result<Arc<ObjectCache>, LockError> {
        let lock = DirectoryLock::take(&path)?;
        let failed = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(&path, flags, Mode::empty()).map_err(|e| failed(e.into()))?;
        let mut table = listing::list(&path).map_err(failed)?;
        uses::read(&path, &mut table);
        let cache = ObjectCache {
            directory,
            path,
            most_bytes,
            table: Mutex::new(table),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            next_new: AtomicU64::new(0),
            _lock: lock,
        };
        cache.trim();
        Ok(Arc::new(cache))
    }

    /// As of now.
    pub fn figures(&self) -> CacheFigures {
        let table = self.table.lock();
        CacheFigures {
            objects: table.entries.len() as u64,
            bytes: table.bytes,
            most_bytes: self.most_bytes,
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    /// Whether an object is here, verified or not.
    pub fn contains(&self, hash: &Hash) -> bool {
        self.table.lock().entries.contains_key(hash)
    }

    fn open_object(&self, hash: &Hash) -> rustix::io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = place(hash);
        rustix::fs::openat(&self.directory, &path[..], flags, Mode::empty()).map(File::from)
    }

    /// Forgets and removes an object.
    pub fn remove(&self, hash: &Hash) {
        self.table.lock().forget(hash);
        // If it cannot be removed it is found, and found bad, at the next start.
        let path = place(hash);
        let _ = rustix::fs::unlinkat(&self.directory, &path[..], rustix::fs::AtFlags::empty());
    }
}

impl Table {
    fn forget(&mut self, hash: &Hash) {
        if let Some(entry) = self.entries.remove(hash) {
            self.bytes = self.bytes.saturating_sub(entry.size);
        }
    }

    fn insert(&mut self, hash: Hash, entry: Entry) {
        self.forget(&hash);
        self.bytes = self.bytes.saturating_add(entry.size);
        self.entries.insert(hash, entry);
    }
}

impl Stamp {
    fn of(stat: &Stat) -> Stamp {
        Stamp {
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            changed: (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or(0)),
        }
    }
}

/// The path of an object below the directory.
fn place(hash: &Hash) -> [u8; PATH_BYTES] {
    let digits = hash.to_hex();
    let mut path = [b'/'; PATH_BYTES];
    path[..2].copy_from_slice(&digits[..2]);
    path[3..].copy_from_slice(&digits[2..]);
    path
}

/// Seconds since 1970.
fn now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}
