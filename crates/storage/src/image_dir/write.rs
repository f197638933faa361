//! Changing image files.

use super::{ImageDir, check_image_name};
use crate::error::IoContext;
use crate::resolve::open_beneath;
use crate::{Result, Stamp, StorageError};
use rustix::fs::{AtFlags, Mode, OFlags, fsync, ftruncate, linkat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

/// Longest file name, bytes.
const NAME_LIMIT_BYTES: usize = 255;

/// What the temporaries of names begin with that leave no room for a tilde. Start-up of the original skips dot names.
pub(super) const LONG_TEMPORARY_PREFIX: &str = ".imagewright.long.";

/// Image files are readable by everybody who gets into the directory, as the original's are.
const IMAGE_MODE: u32 = 0o644;

impl ImageDir {
    /// Writes an image that must not exist: `Exists`, `Tombstone`, `NoDirectory`. After any other error the name is
    /// as it was before.
    pub fn create_new(&self, name: &str, content: &[u8]) -> Result<Stamp> {
        check_image_name(name)?;
        let (parent, last) = self.parent(name)?;
        // Cheap refusals before anything is written; the link below is what decides.
        refuse_existing(&parent, last, name)?;
        let temporary = Temporary::write(&parent, last, name, content)?;
        match linkat(&parent, &temporary.name, &parent, last, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                refuse_existing(&parent, last, name)?;
                return Err(StorageError::Exists {
                    name: name.to_owned(),
                });
            }
            Err(error) => return Err(error).context("write image", || name.to_owned()),
        }
        drop(temporary);
        fsync(&parent)
            .context("flush the directory of image", || name.to_owned())
            .inspect_err(|_| {
                // Nobody was told, so nobody may find it after a restart either.
                let _ = unlinkat(&parent, last, AtFlags::empty());
                let _ = fsync(&parent);
            })?;
        stamp_of(&parent, last, name)
    }

    /// Writes an image over whatever is there: a tombstone, or the same image with another expiration.
    pub fn replace(&self, name: &str, content: &[u8]) -> Result<Stamp> {
        check_image_name(name)?;
        let (parent, last) = self.parent(name)?;
        let temporary = Temporary::write(&parent, last, name, content)?;
        renameat(&parent, &temporary.name, &parent, last).context("write image", || name.to_owned())?;
        fsync(&parent).context("flush the directory of image", || name.to_owned())?;
        stamp_of(&parent, last, name)
    }

    /// Deletes an image: leaves an empty file that blocks the name (`imageserver.md §3.7`). `NotFound`.
    pub fn tombstone(&self, name: &str) -> Result<()> {
        check_image_name(name)?;
        let file = match open_beneath(&self.root, name, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => {
                return Err(StorageError::NotFound {
                    name: format!("image {name}"),
                });
            }
            Err(error) => return Err(error).context("delete image", || name.to_owned()),
        };
        ftruncate(&file, 0)
            .and_then(|()| fsync(&file))
            .context("delete image", || name.to_owned())
    }

    /// Removes an image without a tombstone (expiry, `imageserver.md §2.3`). Goes over `NAME~`, so that an unlink that
    /// never happens leaves something start-up removes. One that is gone already is no error.
    pub fn remove(&self, name: &str) -> Result<()> {
        check_image_name(name)?;
        let (parent, last) = match self.parent(name) {
            Ok(found) => found,
            Err(StorageError::NoDirectory { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let temporary = temporary_name(last);
        match renameat(&parent, last, &parent, &temporary) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error).context("remove image", || name.to_owned()),
        }
        fsync(&parent).context("flush the directory of image", || name.to_owned())?;
        unlinkat(&parent, &temporary, AtFlags::empty()).context("remove image", || name.to_owned())
    }
}

/// Where what is to get the name `last`, or has lost it, lies meanwhile, in the same directory: start-up removes it.
fn temporary_name(last: &str) -> String {
    if last.len() < NAME_LIMIT_BYTES {
        return format!("{last}~");
    }
    format!("{LONG_TEMPORARY_PREFIX}{}~", hash::of(last.as_bytes()))
}

/// A written and flushed `NAME~`, unlinked when dropped (and not renamed away).
struct Temporary<'a> {
    parent: &'a OwnedFd,
    name: String,
}

impl<'a> Temporary<'a> {
    fn write(parent: &'a OwnedFd, last: &str, image: &str, content: &[u8]) -> Result<Temporary<'a>> {
        let temporary = Temporary {
            parent,
            name: temporary_name(last),
        };
        match unlinkat(parent, &temporary.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error).context("remove old temporary of image", || image.to_owned()),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let descriptor = openat(parent, &temporary.name, flags, Mode::from_raw_mode(IMAGE_MODE))
            .context("write image", || image.to_owned())?;
        let mut file = File::from(descriptor);
        file.write_all(content)
            .context("write image", || image.to_owned())?;
        fsync(&file).context("flush image", || image.to_owned())?;
        Ok(temporary)
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        let _ = unlinkat(self.parent, &self.name, AtFlags::empty());
    }
}

fn refuse_existing(parent: &OwnedFd, last: &str, name: &str) -> Result<()> {
    match statat(parent, last, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if stat.st_size == 0 && rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() => {
            Err(StorageError::Tombstone {
                name: name.to_owned(),
            })
        }
        Ok(_) => Err(StorageError::Exists {
            name: name.to_owned(),
        }),
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error).context("look at image", || name.to_owned()),
    }
}

/// Through the name: the last step before (unlink of the second link, rename) changed ctime. The image is durable by now,
/// so this must not fail for want of a file descriptor.
fn stamp_of(parent: &OwnedFd, last: &str, name: &str) -> Result<Stamp> {
    let stat =
        statat(parent, last, AtFlags::SYMLINK_NOFOLLOW).context("look at image", || name.to_owned())?;
    Ok(Stamp::of(&stat))
}
