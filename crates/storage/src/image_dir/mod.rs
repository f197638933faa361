//! Images and their directories at the level of bytes (`imageserver.md §6.1` to `§6.3`).
//!
//! An image is one file of its name; a file of length 0 is the tombstone of a deleted one and blocks the name; `NAME~`
//! is a temporary. Metadata of a directory lies in its `.metadata`.
//!
//! Every change is durable when the call returns: data flushed, entry made, directory flushed. The cost, two flushes, is
//! paid per image and not per object; images come one at a time.

mod directories;
mod list;
mod secret;
mod write;

pub use list::{ImageFile, Listing};

use crate::error::IoContext;
use crate::index_file;
use crate::lock::DirectoryLock;
use crate::resolve::{open_beneath, open_directory, open_root};
use crate::{Result, Stamp, StorageError};
use rustix::fs::{Advice, AtFlags, Mode, OFlags, fadvise, fstat, statat, syncfs};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Mutex;

/// Lock file in the root.
const LOCK_NAME: &str = ".imagewright.images.lock";

/// Index in the root. May be deleted at any time.
const INDEX_NAME: &str = ".imagewright.images.index";

/// When everything was read last, and how far the next time has got. May be deleted at any time.
const SCRUB_RECORD_NAME: &str = ".imagewright.scrub";

/// Longest image file that is read, bytes. A tree of 30,000 inodes takes 4.2 MB; this is 60 times that, and the limit
/// of one gob message.
pub const IMAGE_FILE_LIMIT_BYTES: u64 = 256 << 20;

/// The image directory. Dropping it lets go of the lock.
#[derive(Debug)]
pub struct ImageDir {
    root: OwnedFd,
    lock: DirectoryLock,
    /// Held by who reads or makes the key of archives.
    secret_turn: Mutex<()>,
}

impl ImageDir {
    /// Opens an existing directory and takes its lock.
    ///
    /// Errors: not there, no permission, in use by another process, a kernel without `openat2`.
    pub fn open(path: &Path) -> Result<ImageDir> {
        let root = open_root(path).context("open image directory", || path.display().to_string())?;
        let lock = DirectoryLock::take(&root, path, LOCK_NAME)?;
        open_directory(&root, ".").context("use openat2 (Linux 5.6 or newer is needed) in", || {
            path.display().to_string()
        })?;
        // What a killed predecessor left visible becomes durable before it is announced as present.
        syncfs(&root).context("flush", || "image directory".to_owned())?;
        Ok(ImageDir {
            root,
            lock,
            secret_turn: Mutex::default(),
        })
    }

    /// The clock of the file system, nanoseconds since 1970: see [`Stamp::is_settled`].
    pub fn clock_ns(&self) -> Result<i64> {
        self.lock.clock_ns()
    }

    /// Inode number of the root: an index made for another directory is told by it.
    pub fn inode(&self) -> Result<u64> {
        let stat = fstat(&self.root).context("look at", || "image directory".to_owned())?;
        Ok(Stamp::of(&stat).inode)
    }

    /// The bytes of the index that lies in the root, `None` if there is none. Whether they can be believed is the
    /// caller's to see ([`frame`](crate::frame)).
    pub fn read_index(&self) -> Result<Option<Vec<u8>>> {
        index_file::read(&self.root, INDEX_NAME)
    }

    /// Replaces the index, whole or not at all, without waiting for the disk.
    pub fn write_index(&self, content: &[u8]) -> Result<()> {
        index_file::write(&self.root, INDEX_NAME, std::iter::once(content))
    }

    /// What the scrub wrote down last; `None` if there is nothing.
    pub fn read_scrub_record(&self) -> Result<Option<Vec<u8>>> {
        index_file::read(&self.root, SCRUB_RECORD_NAME)
    }

    /// Replaces what the scrub wrote down, whole or not at all, without waiting for the disk.
    pub fn write_scrub_record(&self, content: &[u8]) -> Result<()> {
        index_file::write(&self.root, SCRUB_RECORD_NAME, std::iter::once(content))
    }

    /// Content of an image file and its stamp. `NotFound`; `Tombstone` if it has length 0.
    pub fn read(&self, name: &str) -> Result<(Vec<u8>, Stamp)> {
        self.read_after(name, |_| ())
    }

    /// The same as it lies on the disk: what the page cache has of it is dropped first.
    pub fn read_from_disk(&self, name: &str) -> Result<(Vec<u8>, Stamp)> {
        self.read_after(name, |file| {
            // A hint: without it the check is of what the memory has.
            let _ = fadvise(file, 0, None, Advice::DontNeed);
        })
    }

    fn read_after(&self, name: &str, prepare: impl FnOnce(&File)) -> Result<(Vec<u8>, Stamp)> {
        check_image_name(name)?;
        let descriptor =
            match open_beneath(&self.root, name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()) {
                Ok(descriptor) => descriptor,
                Err(Errno::NOENT | Errno::NOTDIR) => {
                    return Err(StorageError::NotFound {
                        name: format!("image {name}"),
                    });
                }
                Err(error) => return Err(error).context("open image", || name.to_owned()),
            };
        let mut file = File::from(descriptor);
        let stamp = Stamp::of(&fstat(&file).context("look at image", || name.to_owned())?);
        match stamp.size {
            0 => {
                return Err(StorageError::Tombstone {
                    name: name.to_owned(),
                });
            }
            1..=IMAGE_FILE_LIMIT_BYTES => {}
            _ => return Err(Errno::FBIG).context("read image", || name.to_owned()),
        }
        prepare(&file);
        let mut content = Vec::with_capacity(stamp.size as usize);
        file.by_ref()
            .take(IMAGE_FILE_LIMIT_BYTES)
            .read_to_end(&mut content)
            .context("read image", || name.to_owned())?;
        Ok((content, stamp))
    }

    /// Length of an image file, 0 for a tombstone, `None` if there is nothing or something else than a file.
    pub fn length(&self, name: &str) -> Result<Option<u64>> {
        Ok(self.stamp(name)?.map(|stamp| stamp.size))
    }

    /// Stamp of an image file, `None` if there is nothing or something else than a file. Follows nothing, reads nothing.
    pub fn stamp(&self, name: &str) -> Result<Option<Stamp>> {
        check_image_name(name)?;
        let (parent, last) = match self.parent(name) {
            Ok(found) => found,
            Err(StorageError::NoDirectory { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        match statat(&parent, last, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() => {
                Ok(Some(Stamp::of(&stat)))
            }
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error).context("look at image", || name.to_owned()),
        }
    }

    /// Opens the directory that holds `name`; the second part is the name in it.
    fn parent<'name>(&self, name: &'name str) -> Result<(OwnedFd, &'name str)> {
        let (directory, last) = name.rsplit_once('/').unwrap_or((".", name));
        match open_directory(&self.root, directory) {
            Ok(parent) => Ok((parent, last)),
            Err(Errno::NOENT | Errno::NOTDIR) => Err(StorageError::NoDirectory {
                name: name.to_owned(),
            }),
            Err(error) => Err(error).context("open directory", || directory.to_owned()),
        }
    }
}

/// Names the reference would accept and stumble over (`imageserver.md §2.1`): empty, absolute, with empty or dotted
/// components, ending in `~`. Callers check with better texts; this is the last line of defence.
fn check_image_name(name: &str) -> Result<()> {
    check_directory_name(name)?;
    if name == "." || name.ends_with('~') {
        return Err(StorageError::BadName {
            name: name.to_owned(),
        });
    }
    Ok(())
}

/// As for images; the root is `.`.
fn check_directory_name(name: &str) -> Result<()> {
    let usable = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains('\0');
    if name == "." || name.split('/').all(usable) {
        return Ok(());
    }
    Err(StorageError::BadName {
        name: name.to_owned(),
    })
}
