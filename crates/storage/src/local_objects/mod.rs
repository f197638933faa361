//! Objects in a local directory, in the layout of `imageserver.md §6.4`: `aa/bb/REST`, the hash in hex split 2/2/124.
//!
//! A write has two halves. *Staging* ([`StagingFile`], [`Staged`]) puts the bytes into a file without a name, hashing
//! them on the way; any number of threads stage at once. *Commit* makes a whole group durable at the price of two
//! flushes and shows it; commits run one after another, and who arrives meanwhile forms the next group.
//!
//! The original's `.stash` (`§6.5`) is neither read nor written: staged objects survive no restart, on purpose.

mod commit;
mod directories;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod known;
mod place;
mod scan;
mod stage;

pub use place::place_of;
pub use stage::{Staged, StagingFile};

use crate::error::IoContext;
use crate::index_file;
use crate::lock::DirectoryLock;
use crate::resolve::{open_beneath, open_root};
use crate::{Committed, IndexUse, ObjectBackend, OpenObject, Result, ScanReport, Space, Stamp, StorageError};
use directories::UnflushedDirectories;
use hash::Hash;
use known::Known;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, fstatvfs, mkdirat, syncfs, unlinkat};
use rustix::io::Errno;
use scan::Purpose;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Lock file in the root.
const LOCK_NAME: &str = ".imagewright.objects.lock";

/// Index in the root. May be deleted at any time.
const INDEX_NAME: &str = ".imagewright.objects.index";

/// Directory in the root for temporaries that need a name.
const TEMPORARIES_NAME: &str = ".imagewright.tmp";

/// The object directory. Dropping it lets go of the lock.
#[derive(Debug)]
pub struct LocalObjects {
    root: Arc<OwnedFd>,
    temporaries: Arc<OwnedFd>,
    staging: stage::StagingState,
    /// Also serialises commits: the error state of `syncfs` belongs to the open root, and is handed to one caller.
    committing: Mutex<UnflushedDirectories>,
    walking: Mutex<()>,
    lock: DirectoryLock,
}

impl LocalObjects {
    /// Opens an existing directory and takes its lock.
    ///
    /// Errors: not there, no permission, in use by another process, the file system refuses to flush.
    pub fn open(path: &Path) -> Result<LocalObjects> {
        let root = open_root(path).context("open object directory", || path.display().to_string())?;
        let lock = DirectoryLock::take(&root, path, LOCK_NAME)?;
        match mkdirat(&root, TEMPORARIES_NAME, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error).context("make directory", || TEMPORARIES_NAME.to_owned()),
        }
        let temporaries = crate::resolve::open_directory(&root, TEMPORARIES_NAME)
            .context("open directory", || TEMPORARIES_NAME.to_owned())?;
        // A predecessor that was killed may have left objects that are visible and not yet on the disk. They are
        // about to be counted as present, so they have to be durable first.
        syncfs(&root).context("flush", || "object directory".to_owned())?;
        Ok(LocalObjects {
            root: Arc::new(root),
            temporaries: Arc::new(temporaries),
            staging: stage::StagingState::default(),
            committing: Mutex::new(UnflushedDirectories::default()),
            walking: Mutex::default(),
            lock,
        })
    }
}

impl LocalObjects {
    /// Walks the tree as far as the index does not know it, and writes an index of what was found, if that is news.
    fn walk(&self, purpose: Purpose, found: &(dyn Fn(Hash, u64) + Sync)) -> Result<ScanReport> {
        // One at a time: two would write the same temporary.
        let _walking = self.walking.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the first directory is looked at, since it says from when on changes leave a trace.
        let clock_ns = self.lock.clock_ns()?;
        let inode =
            Stamp::of(&fstat(&*self.root).context("look at", || "object directory".to_owned())?).inode;
        let (known, index) = match index_file::read(&self.root, INDEX_NAME) {
            Ok(None) => (Known::default(), IndexUse::Absent),
            Ok(Some(content)) => match Known::open(content, inode) {
                Ok(known) => (known, IndexUse::Used),
                Err(refused) => (Known::default(), IndexUse::Refused(refused.to_string())),
            },
            Err(error) => (Known::default(), IndexUse::Refused(error.to_string())),
        };
        let walk = scan::Walk {
            root: &self.root,
            known: &known,
            clock_ns,
            purpose,
            found,
        };
        let (mut report, pieces) = scan::scan(&walk)?;
        report.index = index;
        if known.differs(&pieces) {
            // Not having one costs time at the next start and nothing else.
            if let Err(error) = known::write(&self.root, INDEX_NAME, inode, &known, &pieces) {
                tracing::warn!("object directory: {error}; the next start will read all of it");
            }
        }
        Ok(report)
    }
}

impl ObjectBackend for LocalObjects {
    fn scan(&self, found: &(dyn Fn(Hash, u64) + Sync)) -> Result<ScanReport> {
        let temporaries_removed = scan::remove_temporaries(&self.temporaries)?;
        let mut report = self.walk(Purpose::Start, found)?;
        report.temporaries_removed += temporaries_removed;
        Ok(report)
    }

    fn save_index(&self) -> Result<()> {
        self.walk(Purpose::Index, &|_, _| ()).map(drop)
    }

    fn stage(&self) -> Result<StagingFile> {
        self.staging.begin(&self.root, &self.temporaries)
    }

    fn commit(&self, batch: Vec<Staged>) -> Vec<Result<Committed>> {
        commit::commit(self, batch)
    }

    /// What is no file counts as no object: a pipe that somebody put in its place must not be waited for, a link not
    /// followed.
    fn open(&self, hash: &Hash) -> Result<OpenObject> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let descriptor = match open_beneath(&*self.root, &place_of(hash), flags, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO) => {
                return Err(StorageError::UnknownObject { hash: *hash });
            }
            Err(error) => return Err(error).context("open object", || hash.to_string()),
        };
        let stat = fstat(&descriptor).context("look at object", || hash.to_string())?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(StorageError::UnknownObject { hash: *hash });
        }
        let stamp = Stamp::of(&stat);
        Ok(OpenObject {
            file: File::from(descriptor),
            size: stamp.size,
            stamp,
        })
    }

    fn delete(&self, hash: &Hash) -> Result<()> {
        match unlinkat(&*self.root, place_of(hash), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error).context("delete object", || hash.to_string()),
        }
    }

    fn clock_ns(&self) -> Result<i64> {
        self.lock.clock_ns()
    }

    // The field types differ between architectures.
    #[allow(clippy::unnecessary_cast)]
    fn space(&self) -> Result<Space> {
        let stat = fstatvfs(&*self.root).context("ask for the room of", || "object directory".to_owned())?;
        let block = stat.f_frsize as u64;
        let reserved = (stat.f_bfree as u64).saturating_sub(stat.f_bavail as u64);
        Ok(Space {
            capacity_bytes: (stat.f_blocks as u64)
                .saturating_sub(reserved)
                .saturating_mul(block),
            free_bytes: (stat.f_bavail as u64).saturating_mul(block),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_unnamed_files_serves_as_well() {
        let directory = tempfile::tempdir().unwrap();
        let objects = LocalObjects::open(directory.path()).unwrap();
        objects.staging.pretend_no_tmpfile();
        let staged: Vec<_> = (0..10_u8)
            .map(|number| objects.stage_bytes(&[number]).unwrap())
            .collect();
        let temporaries = directory.path().join(TEMPORARIES_NAME);
        let left = || std::fs::read_dir(&temporaries).unwrap().count();
        assert_eq!(left(), 10);
        for result in objects.commit(staged) {
            let committed = result.unwrap();
            assert!(committed.newly_added);
            assert_eq!(objects.open(&committed.hash).unwrap().size, 1);
        }
        assert_eq!(left(), 0);
        drop(objects.stage_bytes(b"given up").unwrap());
        assert_eq!(left(), 0);
        let damaged = directory.path().join(place_of(&hash::of(&[3])));
        std::fs::write(damaged, b"damage").unwrap();
        let staged = objects.stage_bytes(&[3]).unwrap();
        assert!(objects.commit(vec![staged]).pop().unwrap().unwrap().repaired);
        assert_eq!(left(), 0);
    }
}
