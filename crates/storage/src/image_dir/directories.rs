//! Directories of images and their metadata (`imageserver.md §6.3`).

use super::{ImageDir, check_directory_name};
use crate::error::IoContext;
use crate::resolve::{open_beneath, open_directory};
use crate::{Result, StorageError};
use rustix::fs::{AtFlags, Mode, OFlags, fsync, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Write};

const METADATA_NAME: &str = ".metadata";
/// The original rewrites in place, where a crash leaves a mixture and a shorter text leaves stale bytes; a dot name is
/// skipped by its start-up, so a leftover does no harm.
pub(super) const METADATA_TEMPORARY_NAME: &str = ".metadata~";

/// Longest metadata file that is read, bytes. They hold one group name.
const METADATA_LIMIT_BYTES: u64 = 1 << 20;

impl ImageDir {
    /// Makes a directory whose parent exists. True if it is new; one that is there is no error.
    pub fn make_directory(&self, name: &str) -> Result<bool> {
        check_directory_name(name)?;
        if name == "." {
            return Ok(false);
        }
        let (parent, last) = self.parent(name)?;
        let made = match mkdirat(&parent, last, Mode::from_raw_mode(0o755)) {
            Ok(()) => true,
            Err(Errno::EXIST) => {
                open_directory(&parent, last).context("make directory", || name.to_owned())?;
                false
            }
            Err(error) => return Err(error).context("make directory", || name.to_owned()),
        };
        fsync(&parent).context("flush the parent of directory", || name.to_owned())?;
        Ok(made)
    }

    /// A plain `rmdir`: `NotEmpty` if it holds images, tombstones or metadata (`imageserver.md §3.6`).
    pub fn remove_directory(&self, name: &str) -> Result<()> {
        check_directory_name(name)?;
        if name == "." {
            return Err(StorageError::BadName {
                name: name.to_owned(),
            });
        }
        let (parent, last) = self.parent(name)?;
        match unlinkat(&parent, last, AtFlags::REMOVEDIR) {
            Ok(()) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                return Err(StorageError::NotEmpty {
                    name: name.to_owned(),
                });
            }
            Err(Errno::NOENT) => {
                return Err(StorageError::NotFound {
                    name: format!("directory {name}"),
                });
            }
            Err(error) => return Err(error).context("remove directory", || name.to_owned()),
        }
        fsync(&parent).context("flush the parent of directory", || name.to_owned())
    }

    /// Content of a directory's metadata file; `None` if there is none. Stale bytes may follow the value.
    pub fn read_metadata(&self, directory: &str) -> Result<Option<Vec<u8>>> {
        let path = metadata_path(directory)?;
        let descriptor = match open_beneath(
            &self.root,
            &path,
            OFlags::RDONLY | OFlags::NONBLOCK,
            Mode::empty(),
        ) {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error).context("open metadata of directory", || directory.to_owned()),
        };
        let mut content = Vec::new();
        File::from(descriptor)
            .take(METADATA_LIMIT_BYTES)
            .read_to_end(&mut content)
            .context("read metadata of directory", || directory.to_owned())?;
        Ok(Some(content))
    }

    /// Replaces a directory's metadata file.
    pub fn write_metadata(&self, directory: &str, content: &[u8]) -> Result<()> {
        check_directory_name(directory)?;
        let what = || directory.to_owned();
        let parent = self.open_named(directory)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let descriptor = openat(
            &parent,
            METADATA_TEMPORARY_NAME,
            flags,
            Mode::from_raw_mode(0o644),
        )
        .context("write metadata of directory", what)?;
        let mut file = File::from(descriptor);
        file.write_all(content)
            .and_then(|()| fsync(&file).map_err(Into::into))
            .and_then(|()| {
                renameat(&parent, METADATA_TEMPORARY_NAME, &parent, METADATA_NAME).map_err(Into::into)
            })
            .context("write metadata of directory", what)
            .inspect_err(|_| {
                let _ = unlinkat(&parent, METADATA_TEMPORARY_NAME, AtFlags::empty());
            })?;
        fsync(&parent).context("flush directory", what)
    }

    /// Removes a directory's metadata file, if there is one: that is how empty metadata is written.
    pub fn remove_metadata(&self, directory: &str) -> Result<()> {
        check_directory_name(directory)?;
        let parent = self.open_named(directory)?;
        match unlinkat(&parent, METADATA_NAME, AtFlags::empty()) {
            Ok(()) => fsync(&parent).context("flush directory", || directory.to_owned()),
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error).context("remove metadata of directory", || directory.to_owned()),
        }
    }

    fn open_named(&self, directory: &str) -> Result<std::os::fd::OwnedFd> {
        match open_directory(&self.root, directory) {
            Ok(opened) => Ok(opened),
            Err(Errno::NOENT | Errno::NOTDIR) => Err(StorageError::NotFound {
                name: format!("directory {directory}"),
            }),
            Err(error) => Err(error).context("open directory", || directory.to_owned()),
        }
    }
}

fn metadata_path(directory: &str) -> Result<String> {
    check_directory_name(directory)?;
    Ok(match directory {
        "." => METADATA_NAME.to_owned(),
        named => format!("{named}/{METADATA_NAME}"),
    })
}
