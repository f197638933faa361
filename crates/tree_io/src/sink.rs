//! Where the objects of a scanned tree go.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bstr::BString;
use hash::Hash;
use rustix::fs::{Mode, OFlags};

use crate::beneath::Root;
use crate::error::{BoxError, Error};

/// Files up to this many bytes are read once, hashed in memory and handed over whole; larger ones are hashed piece by
/// piece and read again only if somebody wants them.
pub const IN_MEMORY_BYTES: u64 = 1 << 20;

/// Takes the objects as they are found, each hash once, from several threads. `put` may block: that is what keeps a fast
/// scan from running away from a slow network. An error ends the scan.
pub trait ObjectSink: Sync {
    /// One object, in no particular order.
    fn put(&self, object: FoundObject) -> Result<(), BoxError>;
}

/// For scans that only want the hashes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSink;

impl ObjectSink for NoSink {
    fn put(&self, _object: FoundObject) -> Result<(), BoxError> {
        Ok(())
    }
}

/// A non-empty object that the tree refers to.
#[derive(Debug)]
pub struct FoundObject {
    /// Its name.
    pub hash: Hash,
    /// Its size in bytes, never 0.
    pub size: u64,
    /// How to get its bytes.
    pub body: Body,
}

/// The bytes of an object, or where they are.
#[derive(Debug)]
pub enum Body {
    /// At most [`IN_MEMORY_BYTES`].
    Bytes(Vec<u8>),
    /// To be read (again) if wanted.
    File(StoredFile),
}

/// A file that was hashed and can be read again; reading notices when it has changed since.
#[derive(Debug)]
pub struct StoredFile(Place);

#[derive(Debug)]
enum Place {
    Tree {
        root: Arc<Root>,
        path: BString,
        stamp: Stamp,
    },
    Temporary {
        file: File,
        size: u64,
    },
}

impl StoredFile {
    pub(crate) fn in_tree(root: Arc<Root>, path: BString, stamp: Stamp) -> StoredFile {
        StoredFile(Place::Tree { root, path, stamp })
    }

    pub(crate) fn temporary(file: File, size: u64) -> StoredFile {
        StoredFile(Place::Temporary { file, size })
    }

    /// Opens it for one sequential pass of exactly the object's size.
    ///
    /// # Errors
    /// [`Error::Changed`] when it is not the file that was hashed any more.
    pub fn open(self) -> Result<StoredReader, Error> {
        match self.0 {
            Place::Temporary { file, size } => Ok(StoredReader {
                file,
                offset: 0,
                size,
                path: "temporary file".into(),
                stamp: None,
            }),
            Place::Tree { root, path, stamp } => {
                let file = open_regular(&root, &path)?;
                if Stamp::of(&file, &path)? != stamp {
                    return Err(Error::Changed(path));
                }
                Ok(StoredReader {
                    file,
                    offset: 0,
                    size: stamp.size,
                    path,
                    stamp: Some(stamp),
                })
            }
        }
    }
}

/// Reads a [`StoredFile`]; after the last byte it has been checked that the file did not change meanwhile.
#[derive(Debug)]
pub struct StoredReader {
    file: File,
    offset: u64,
    size: u64,
    path: BString,
    stamp: Option<Stamp>,
}

impl Read for StoredReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size - self.offset;
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let want = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        // Positioned reads: a temporary file was just written and stands at its end.
        let count = self.file.read_at(&mut buffer[..want], self.offset)?;
        self.offset += count as u64;
        let changed = match &self.stamp {
            _ if count == 0 => true,
            Some(stamp) if self.offset == self.size => {
                Stamp::of(&self.file, &self.path).map_err(io::Error::other)? != *stamp
            }
            _ => false,
        };
        if changed {
            return Err(io::Error::other(Error::Changed(self.path.clone())));
        }
        Ok(count)
    }
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) mtime_seconds: i64,
    pub(crate) mtime_nanoseconds: i64,
}

impl Stamp {
    pub(crate) fn from_stat(stat: &rustix::fs::Stat) -> Stamp {
        Stamp {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime_seconds: stat.st_mtime,
            mtime_nanoseconds: i64::try_from(stat.st_mtime_nsec).unwrap_or(0),
        }
    }

    pub(crate) fn of(file: &File, path: &BString) -> Result<Stamp, Error> {
        rustix::fs::fstat(file)
            .map(|stat| Stamp::from_stat(&stat))
            .map_err(|e| Error::io("stat", path, e))
    }
}

pub(crate) fn open_regular(root: &Root, path: &BString) -> Result<File, Error> {
    // NONBLOCK: a fifo that took the file's place must not hold us up; the stamp then tells.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    root.open_beneath(path, flags, Mode::empty())
        .map(File::from)
        .map_err(|e| Error::io("open", path, e))
}
