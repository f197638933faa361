//! Reading.

use super::RepositoryDir;
use crate::error::IoContext;
use crate::resolve::{open_beneath, open_directory};
use crate::{Result, Stamp, StorageError};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, statat};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;

/// Something in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name in the directory.
    pub name: String,
    /// Whether it is a directory; else it is a regular file.
    pub is_directory: bool,
    /// As it was found.
    pub stamp: Stamp,
}

impl RepositoryDir {
    /// Opens a file for reading; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be opened, or is no regular file.
    pub fn open_file(&self, name: &str) -> Result<Option<(File, Stamp)>> {
        let (root, rest) = self.area(name)?;
        // Not to wait for a writer if somebody put a pipe there.
        let opened = open_beneath(root, rest, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty());
        let descriptor = match opened {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error).context("open", || name.to_owned()),
        };
        let stat = fstat(&descriptor).context("look at", || name.to_owned())?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(StorageError::BadName {
                name: name.to_owned(),
            });
        }
        Ok(Some((File::from(descriptor), Stamp::of(&stat))))
    }

    /// What a file is like now; `None` if there is none. A link, or what is no file, has a stamp too.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn stamp(&self, name: &str) -> Result<Option<Stamp>> {
        let Some((parent, last)) = self.parent(name)? else {
            return Ok(None);
        };
        match statat(&parent, last, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Stamp::of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error).context("look at", || name.to_owned()),
        }
    }

    /// A whole file of at most `limit` bytes; `None` if there is none. The stamp was taken before it was read.
    ///
    /// # Errors
    /// It cannot be read, or is longer.
    pub fn read(&self, name: &str, limit: u64) -> Result<Option<(Vec<u8>, Stamp)>> {
        let Some((file, stamp)) = self.open_file(name)? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        file.take(limit.saturating_add(1))
            .read_to_end(&mut content)
            .context("read", || name.to_owned())?;
        if content.len() as u64 > limit {
            let error = std::io::Error::from(std::io::ErrorKind::FileTooLarge);
            return Err(error).context("read", || name.to_owned());
        }
        Ok(Some((content, stamp)))
    }

    /// Files and directories in a directory, in no order; empty if there is no such directory. Other kinds, and names that
    /// are no texts, are left out.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn list(&self, name: &str) -> Result<Vec<Found>> {
        let (root, rest) = self.area(name)?;
        let directory = match open_directory(root, rest) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(Vec::new()),
            Err(error) => return Err(error).context("open directory", || name.to_owned()),
        };
        let mut found = Vec::new();
        for entry in Dir::read_from(&directory).context("read directory", || name.to_owned())? {
            let entry = entry.context("read directory", || name.to_owned())?;
            let Ok(entry_name) = entry.file_name().to_str() else {
                continue;
            };
            if matches!(entry_name, "." | "..") {
                continue;
            }
            let stat = match statat(&directory, entry_name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                // Gone since.
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error).context("look at", || format!("{name}/{entry_name}")),
            };
            let kind = FileType::from_raw_mode(stat.st_mode);
            if kind.is_file() || kind.is_dir() {
                let stamp = Stamp::of(&stat);
                found.push(Found {
                    name: entry_name.to_owned(),
                    is_directory: kind.is_dir(),
                    stamp,
                });
            }
        }
        Ok(found)
    }
}
