//! Large files that arrive bit by bit, and may go on arriving another day.
//!
//! Large pieces go past the page cache where the file system and the caller's memory allow it ([`Block`](crate::Block)): a
//! copy into the cache and the write-back of it cost several times what the disk takes, and who acknowledges waits for both.

use super::{MAXIMUM_TRIES, RepositoryDir};
use crate::block::{ALIGNMENT, is_aligned};
use crate::error::IoContext;
use crate::{Result, Stamp, StorageError};
use rustix::fs::{AtFlags, Mode, OFlags, fdatasync, fstat, fsync, openat, renameat, statat, unlinkat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;

/// Bytes from which on a piece goes past the page cache: less is not worth waiting for the disk.
const DIRECT_BYTES: usize = 128 << 10;

/// A file under a name of its own beside its final place. Unlinked when dropped, unless kept or committed.
#[derive(Debug)]
pub struct Upload {
    file: File,
    /// The same file, past the page cache.
    direct: Direct,
    parent: OwnedFd,
    name: String,
    last: String,
    length: u64,
    is_done: bool,
}

/// A second descriptor of an upload's file, which writes past the page cache.
#[derive(Debug)]
enum Direct {
    Untried,
    Open(File),
    /// The file system does not offer it.
    Impossible,
}

impl RepositoryDir {
    /// Begins a file, empty, under a temporary name.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin_upload(&self, name: &str) -> Result<Upload> {
        self.open_upload(name, OFlags::CREATE | OFlags::TRUNC)?
            .ok_or_else(|| StorageError::NoDirectory {
                name: name.to_owned(),
            })
    }

    /// Goes on with one that was kept; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn resume_upload(&self, name: &str) -> Result<Option<Upload>> {
        self.open_upload(name, OFlags::empty())
    }

    fn open_upload(&self, name: &str, more: OFlags) -> Result<Option<Upload>> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | more;
        for _ in 0..MAXIMUM_TRIES {
            let (parent, last) = match more.contains(OFlags::CREATE) {
                true => self.made_parent(name)?,
                false => match self.parent(name)? {
                    Some(found) => found,
                    None => return Ok(None),
                },
            };
            match openat(&parent, last, flags, Mode::from_raw_mode(0o644)) {
                Ok(descriptor) => {
                    let stat = fstat(&descriptor).context("look at", || name.to_owned())?;
                    let length = Stamp::of(&stat).size;
                    let (name, last) = (name.to_owned(), last.to_owned());
                    return Ok(Some(Upload {
                        file: File::from(descriptor),
                        direct: Direct::Untried,
                        parent,
                        name,
                        last,
                        length,
                        is_done: false,
                    }));
                }
                // The directory was empty, and somebody removed it.
                Err(Errno::NOENT) if more.contains(OFlags::CREATE) => continue,
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(error).context("open", || name.to_owned()),
            }
        }
        Ok(None)
    }
}

impl Upload {
    /// Bytes that are there.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends.
    ///
    /// # Errors
    /// The disk is full, or fails. What was written of it does not count: the next call overwrites it.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.write(bytes);
        if written.is_ok() {
            self.length += bytes.len() as u64;
        } else {
            // Where it ends is told by `length`; a rest beyond it would be taken for received by who resumes.
            let _ = self.file.set_len(self.length);
        }
        written.context("write", || self.name.clone())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let past = self.write_past_cache(bytes)?;
        self.file.write_all_at(&bytes[past..], self.length + past as u64)
    }

    /// Writes as much as can go past the page cache, and says how many bytes.
    fn write_past_cache(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() < DIRECT_BYTES || !is_aligned(bytes, self.length) {
            return Ok(0);
        }
        if matches!(self.direct, Direct::Untried) {
            let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::DIRECT;
            let opened = openat(&self.parent, &self.last, flags, Mode::empty());
            self.direct = opened.map_or(Direct::Impossible, |file| Direct::Open(File::from(file)));
        }
        let Direct::Open(file) = &self.direct else {
            return Ok(0);
        };
        let whole = bytes.len() - bytes.len() % ALIGNMENT;
        match file.write_all_at(&bytes[..whole], self.length) {
            Ok(()) => Ok(whole),
            // A file system that wants larger blocks.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                self.direct = Direct::Impossible;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// Appends a whole file; the kernel copies where it can.
    pub(super) fn append_from(&mut self, source: &mut File) -> Result<()> {
        self.file
            .seek(SeekFrom::Start(self.length))
            .context("copy", || self.name.clone())?;
        let copied = io::copy(source, &mut self.file);
        self.length += copied.context("copy", || self.name.clone())?;
        Ok(())
    }

    /// The file for reading from its beginning, as who resumes must to have its digests.
    ///
    /// # Errors
    /// It cannot be opened again.
    pub fn reader(&self) -> Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let opened = openat(&self.parent, &self.last, flags, Mode::empty());
        opened.map(File::from).context("open", || self.name.clone())
    }

    /// Leaves it for later, on stable storage; gives the bytes that are there.
    ///
    /// # Errors
    /// It cannot be flushed, and is removed.
    pub fn keep(mut self) -> Result<u64> {
        fsync(&self.file)
            .and_then(|()| fsync(&self.parent))
            .context("flush", || self.name.clone())?;
        self.is_done = true;
        Ok(self.length)
    }

    /// Has all bytes, and its name, on stable storage.
    ///
    /// # Errors
    /// They cannot be flushed.
    pub fn flush(&mut self) -> Result<()> {
        fdatasync(&self.file)
            .and_then(|()| fsync(&self.parent))
            .context("flush", || self.name.clone())
    }

    /// Whether dropping it leaves its bytes where they are: somebody renamed them, or will.
    pub fn hold(&mut self, is_held: bool) {
        self.is_done = is_held;
    }

    /// Gives it its final name in the same directory, in place of what is there. It is on stable storage then.
    ///
    /// # Errors
    /// It cannot be flushed or renamed, and is removed; what was at the name is still there.
    pub fn commit(mut self, last: &str) -> Result<Stamp> {
        if last.is_empty() || last.contains('/') || last == ".." || last == "." {
            return Err(StorageError::BadName {
                name: last.to_owned(),
            });
        }
        fdatasync(&self.file).context("flush", || self.name.clone())?;
        renameat(&self.parent, &self.last, &self.parent, last).context("rename", || self.name.clone())?;
        self.is_done = true;
        fsync(&self.parent).context("flush the directory of", || self.name.clone())?;
        let stat =
            statat(&self.parent, last, AtFlags::SYMLINK_NOFOLLOW).context("look at", || self.name.clone())?;
        Ok(Stamp::of(&stat))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_done {
            let _ = unlinkat(&self.parent, &self.last, AtFlags::empty());
        }
    }
}
