//! Removing and renaming.

use super::RepositoryDir;
use crate::Result;
use crate::error::IoContext;
use crate::resolve::open_directory;
use rustix::fs::{AtFlags, fsync, renameat, unlinkat};
use rustix::io::Errno;
use std::collections::BTreeSet;

/// Directories that are flushed one by one, at most.
const MANY_DIRECTORIES: usize = 16;

fn area_of(name: &str) -> &str {
    name.split_once('/').map_or(name, |(area, _)| area)
}

impl RepositoryDir {
    /// Removes a file, durably; false if there is none.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, name: &str) -> Result<bool> {
        let is_removed = self.unlink(name, AtFlags::empty())?;
        self.flush_if(is_removed, name)
    }

    /// The same, not flushed.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove_unflushed(&self, name: &str) -> Result<bool> {
        self.unlink(name, AtFlags::empty())
    }

    /// Removes a directory if it is empty, durably; false if it is not, or not there.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove_empty_directory(&self, name: &str) -> Result<bool> {
        let is_removed = self.remove_empty_directory_unflushed(name)?;
        self.flush_if(is_removed, name)
    }

    /// The same, not flushed.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove_empty_directory_unflushed(&self, name: &str) -> Result<bool> {
        self.unlink(name, AtFlags::REMOVEDIR)
    }

    fn flush_if(&self, is_changed: bool, name: &str) -> Result<bool> {
        if is_changed {
            self.flush_directories_of(&[name])?;
        }
        Ok(is_changed)
    }

    /// Flushes the directories of these names, each once; what is not there any more needs none. Many cost one flush of the whole
    /// file system.
    ///
    /// # Errors
    /// One cannot be flushed.
    pub fn flush_directories_of(&self, names: &[&str]) -> Result<()> {
        let directory = |name: &&str| name.rsplit_once('/').map_or(".", |(above, _)| above).to_owned();
        let directories: BTreeSet<String> = names.iter().map(directory).collect();
        if directories.len() > MANY_DIRECTORIES {
            let mut areas: Vec<&str> = directories.iter().map(|name| area_of(name)).collect();
            areas.dedup();
            return areas.into_iter().try_for_each(|area| self.sync_area(area));
        }
        for name in &directories {
            let (root, rest) = self.area(name)?;
            match open_directory(root, rest) {
                Ok(directory) => fsync(&directory).context("flush directory", || name.clone())?,
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error).context("open directory", || name.clone()),
            }
        }
        Ok(())
    }

    fn unlink(&self, name: &str, flags: AtFlags) -> Result<bool> {
        let Some((parent, last)) = self.parent(name)? else {
            return Ok(false);
        };
        match unlinkat(&parent, last, flags) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(false),
            Err(Errno::NOTEMPTY | Errno::EXIST) if flags.contains(AtFlags::REMOVEDIR) => return Ok(false),
            Err(error) => return Err(error).context("remove", || name.to_owned()),
        }
        Ok(true)
    }

    /// Gives a file or directory another name in the same area, durably; an empty directory or a file there is replaced.
    /// False if there is none.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn rename(&self, from: &str, to: &str) -> Result<bool> {
        let is_renamed = self.rename_unflushed(from, to)?;
        if is_renamed {
            self.flush_directories_of(&[to, from])?;
        }
        Ok(is_renamed)
    }

    /// The same, not flushed.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn rename_unflushed(&self, from: &str, to: &str) -> Result<bool> {
        let Some((old, last)) = self.parent(from)? else {
            return Ok(false);
        };
        let (new, new_last) = self.made_parent(to)?;
        match renameat(&old, last, &new, new_last) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(error).context("rename", || from.to_owned()),
        }
        Ok(true)
    }

    /// Removes what writes that never ended left in a directory: `.NAME.N~`. Gives how many there were.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn remove_temporaries(&self, directory: &str) -> Result<usize> {
        let found = self.list(directory)?;
        let temporaries = found
            .iter()
            .filter(|found| !found.is_directory && found.name.starts_with('.') && found.name.ends_with('~'));
        let mut count = 0;
        for temporary in temporaries {
            count += usize::from(self.remove(&format!("{directory}/{}", temporary.name))?);
        }
        Ok(count)
    }
}
