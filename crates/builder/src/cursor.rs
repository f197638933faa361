//! Walking in trees of strangers: never through a link, whatever depth.
//!
//! One directory is open at a time, and the way back up is `..`, checked: a script can make a tree deeper than any path may be long,
//! any stack is deep or any process may have files open.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::in_root::{DIRECTORY, look, names};

/// Shows everything below a directory: the directory it is in, its name there, what it is. What vanishes meanwhile is passed over.
///
/// # Errors
/// What cannot be read; `STALE` if the directory it is in was moved meanwhile.
pub(crate) fn walk(
    top: &Path,
    visit: &mut dyn FnMut(BorrowedFd<'_>, &OsStr, FileType, &Stat),
) -> rustix::io::Result<()> {
    let top = rustix::fs::open(top, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
    let mut cursor = Cursor::of(top)?;
    loop {
        let Some(name) = cursor.next() else {
            if cursor.depth() == 1 {
                return Ok(());
            }
            cursor.leave()?;
            continue;
        };
        let (kind, stat) = match look(cursor.here.as_fd(), &name) {
            Err(Errno::NOENT) => continue,
            other => other?,
        };
        visit(cursor.here.as_fd(), &name, kind, &stat);
        if kind == FileType::Directory {
            match cursor.enter(&name) {
                Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A place in a tree, and what is still to be seen on the way there.
pub(crate) struct Cursor {
    pub(crate) here: OwnedFd,
    levels: Vec<Level>,
}

struct Level {
    /// Name in the directory above; empty at the top.
    name: OsString,
    device: u64,
    inode: u64,
    /// In reverse.
    names: Vec<OsString>,
}

impl Cursor {
    /// At the top of a tree.
    pub(crate) fn at(path: &Path) -> std::io::Result<Self> {
        let top = rustix::fs::open(path, DIRECTORY, Mode::empty())?;
        Ok(Self::of(top)?)
    }

    pub(crate) fn of(top: OwnedFd) -> rustix::io::Result<Self> {
        let level = Level::of(&top, OsString::new())?;
        Ok(Self {
            here: top,
            levels: vec![level],
        })
    }

    /// The next name in the directory it is in.
    pub(crate) fn next(&mut self) -> Option<OsString> {
        self.levels.last_mut()?.names.pop()
    }

    pub(crate) fn depth(&self) -> usize {
        self.levels.len()
    }

    pub(crate) fn is_directory(&self, name: &OsStr) -> rustix::io::Result<bool> {
        Ok(look(self.here.as_fd(), name)?.0 == FileType::Directory)
    }

    pub(crate) fn enter(&mut self, name: &OsStr) -> rustix::io::Result<()> {
        let below = open_below(&self.here, name)?;
        self.levels.push(Level::of(&below, name.to_owned())?);
        self.here = below;
        Ok(())
    }

    /// Goes up; returns the name of what was left.
    pub(crate) fn leave(&mut self) -> rustix::io::Result<OsString> {
        let left = self.levels.pop().ok_or(Errno::INVAL)?;
        let above = open_below(&self.here, OsStr::new(".."))?;
        let stat = rustix::fs::fstat(&above)?;
        // Somebody moved it meanwhile: then `..` is no place of ours.
        let is_ours = |level: &Level| (level.device, level.inode) == (stat.st_dev, stat.st_ino);
        if !self.levels.last().is_some_and(is_ours) {
            return Err(Errno::STALE);
        }
        self.here = above;
        Ok(left.name)
    }
}

impl Level {
    fn of(directory: &OwnedFd, name: OsString) -> rustix::io::Result<Self> {
        let stat = rustix::fs::fstat(directory)?;
        let mut names = names(directory)?;
        names.reverse();
        Ok(Self {
            name,
            device: stat.st_dev,
            inode: stat.st_ino,
            names,
        })
    }
}

pub(crate) fn open_below(parent: impl AsFd, name: &OsStr) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(parent, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}
