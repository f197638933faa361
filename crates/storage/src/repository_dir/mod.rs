//! The directory of a repository of images with a REST API (imgapi-operations.md §5.1): records, files, icons, archive.
//!
//! Names are relative to the base directory and begin with one of its areas, as in `manifests/UUID.raw`. An area may be a
//! symbolic link, as administrators put files on other disks; nothing below an area may be one. The original runs on what
//! lies here: our own files have dot names.

mod duplicate;
mod find;
mod index;
mod journal;
mod remove;
mod upload;
mod write;

pub use find::Found;
pub use index::IndexReader;
pub use upload::Upload;
pub use write::StagedFile;

use crate::error::IoContext;
use crate::lock::DirectoryLock;
use crate::resolve::{open_directory, open_root};
use crate::{Result, StorageError};
use rustix::fs::{Mode, OFlags, fsync, mkdirat, openat};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::Path;

const LOCK_NAME: &str = ".imgapi.lock";

/// Tries of making a file in a directory that somebody else removes because it is empty.
const MAXIMUM_TRIES: usize = 8;

/// The directory, locked for as long as it lives.
#[derive(Debug)]
pub struct RepositoryDir {
    areas: Vec<(&'static str, OwnedFd)>,
    root: OwnedFd,
    lock: DirectoryLock,
}

impl RepositoryDir {
    /// Opens the base directory, which must be there, and takes its lock. Areas that are not there are made.
    ///
    /// # Errors
    /// `Locked`: another process uses it.
    pub fn open(base: &Path, areas: &[&'static str]) -> Result<Self> {
        let root = open_root(base).context("open", || base.display().to_string())?;
        let lock = DirectoryLock::take(&root, base, LOCK_NAME)?;
        let open = |&area: &&'static str| {
            match mkdirat(&root, area, Mode::from_raw_mode(0o755)) {
                Ok(()) => fsync(&root).context("flush the directory of", || area.to_owned())?,
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error).context("make directory", || area.to_owned()),
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let opened = openat(&root, area, flags, Mode::empty());
            opened
                .context("open directory", || area.to_owned())
                .map(|opened| (area, opened))
        };
        Ok(Self {
            areas: areas.iter().map(open).collect::<Result<_>>()?,
            root,
            lock,
        })
    }

    /// What the clock says by which files are stamped, nanoseconds since 1970: see [`Stamp::is_settled`](crate::Stamp::is_settled).
    ///
    /// # Errors
    /// The file system does not tell.
    pub fn clock_ns(&self) -> Result<i64> {
        self.lock.clock_ns()
    }

    /// Has everything that was written in the file system of an area on stable storage.
    ///
    /// # Errors
    /// The file system fails.
    pub fn sync_area(&self, area: &str) -> Result<()> {
        let (root, _) = self.area(area)?;
        rustix::fs::syncfs(root).context("flush", || area.to_owned())
    }

    /// The area of a name, and the rest of it.
    fn area<'a>(&self, name: &'a str) -> Result<(&OwnedFd, &'a str)> {
        let (area, rest) = name.split_once('/').unwrap_or((name, "."));
        let found = self.areas.iter().find(|(known, _)| *known == area);
        let found = found.filter(|_| !rest.is_empty() && !rest.split('/').any(|part| part == ".."));
        found
            .map(|(_, root)| (root, rest))
            .ok_or_else(|| StorageError::BadName {
                name: name.to_owned(),
            })
    }

    /// The directory a name is in, and its last part. `None`: there is no such directory.
    fn parent<'a>(&self, name: &'a str) -> Result<Option<(OwnedFd, &'a str)>> {
        let (root, rest) = self.area(name)?;
        let (directory, last) = rest.rsplit_once('/').unwrap_or((".", rest));
        match open_directory(root, directory) {
            Ok(directory) => Ok(Some((directory, last))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error).context("open the directory of", || name.to_owned()),
        }
    }

    /// The same, made durably if it is not there.
    fn made_parent<'a>(&self, name: &'a str) -> Result<(OwnedFd, &'a str)> {
        for _ in 0..MAXIMUM_TRIES {
            if let Some(found) = self.parent(name)? {
                return Ok(found);
            }
            self.make_parents(name)?;
        }
        Err(StorageError::NoDirectory {
            name: name.to_owned(),
        })
    }

    fn make_parents(&self, name: &str) -> Result<()> {
        let (root, rest) = self.area(name)?;
        let ends = rest.match_indices('/').map(|(at, _)| at);
        let mut above = ".";
        for end in ends {
            let path = &rest[..end];
            let last = path.rsplit('/').next().unwrap_or(path);
            let Ok(parent) = open_directory(root, above) else {
                // Removed meanwhile: the caller tries again.
                return Ok(());
            };
            match mkdirat(&parent, last, Mode::from_raw_mode(0o755)) {
                Ok(()) => fsync(&parent).context("flush the directory of", || path.to_owned())?,
                Err(Errno::EXIST | Errno::NOENT) => {}
                Err(error) => return Err(error).context("make directory", || path.to_owned()),
            }
            above = path;
        }
        Ok(())
    }
}
