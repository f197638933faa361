//! Which directories a commit has to flush.

use super::LocalObjects;
use super::place::{directory_of, top_of};
use crate::error::IoContext;
use crate::resolve::open_directory;
use crate::{Result, StorageError};
use rustix::fs::{Mode, fsync, mkdirat};
use rustix::io::Errno;
use std::collections::BTreeSet;

/// Name of the root in [`UnflushedDirectories`].
const ROOT: &str = ".";

/// Directories that were changed and not flushed since, by name relative to the root. Outlives the commit when a
/// flush fails: the next one that touches them, or any group flush, makes up for it.
#[derive(Debug, Default)]
pub(super) struct UnflushedDirectories {
    names: BTreeSet<String>,
}

impl UnflushedDirectories {
    /// Makes the directories of `place` and notes what became due by it.
    pub(super) fn make_for(&mut self, objects: &LocalObjects, place: &str) -> Result<()> {
        if self.make(objects, directory_of(place), top_of(place))? {
            return Ok(());
        }
        self.make(objects, top_of(place), ROOT)?;
        if self.make(objects, directory_of(place), top_of(place))? {
            return Ok(());
        }
        Err(Errno::NOENT).context("make directory", || directory_of(place).to_owned())
    }

    /// False if the parent is missing.
    fn make(&mut self, objects: &LocalObjects, name: &str, parent: &str) -> Result<bool> {
        match mkdirat(&*objects.root, name, Mode::from_raw_mode(0o700)) {
            Ok(()) => {
                self.names.insert(parent.to_owned());
                self.names.insert(name.to_owned());
                Ok(true)
            }
            Err(Errno::EXIST) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error).context("make directory", || name.to_owned()),
        }
    }

    /// An entry in the directory of `place` was made or replaced.
    pub(super) fn entry_changed(&mut self, place: &str) {
        if !self.names.contains(directory_of(place)) {
            self.names.insert(directory_of(place).to_owned());
        }
    }

    /// Everything was flushed by other means (`syncfs`).
    pub(super) fn all_flushed(&mut self) {
        self.names.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Flushes one by one, parents first; what failed stays noted.
    pub(super) fn flush(&mut self, objects: &LocalObjects) -> Result<()> {
        let mut failure: Option<StorageError> = None;
        self.names.retain(|name| {
            let flushed = open_directory(&*objects.root, name)
                .and_then(|directory| fsync(&directory))
                .context("flush directory", || name.clone());
            match flushed {
                Ok(()) => false,
                Err(error) => {
                    failure = Some(error);
                    true
                }
            }
        });
        failure.map_or(Ok(()), Err)
    }
}
