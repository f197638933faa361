//! Deleting in trees: never through a link, whatever depth.
//!
//! One directory is open at a time, and the way back up is `..`, checked: a script can make a tree deeper than any path may be long,
//! any stack is deep or any process may have files open.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use image::filter::CompiledFilter;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::in_root::{DIRECTORY, look, names};

/// Deletes what a filter matches, whole directories with all that is in them (`image-manifest.md §6`). The top stays.
///
/// # Errors
/// What cannot be read or deleted.
pub fn delete_matching(root: &Path, filter: &CompiledFilter) -> std::io::Result<()> {
    let mut cursor = Cursor::at(root)?;
    let mut path = Vec::new();
    loop {
        let Some(name) = cursor.next() else {
            if cursor.depth() == 1 {
                return Ok(());
            }
            let left = cursor.leave()?;
            path.truncate(path.len() - left.len() - 1);
            continue;
        };
        path.push(b'/');
        path.extend_from_slice(name.as_bytes());
        if filter.matches(&path) {
            delete_below(&cursor.here, &name)?;
        } else if cursor.is_directory(&name)? {
            // The name comes off the path when the directory is left.
            cursor.enter(&name)?;
            continue;
        }
        path.truncate(path.len() - name.len() - 1);
    }
}

/// Deletes a directory and everything in it. It is no error if there is none.
///
/// # Errors
/// What cannot be read or deleted.
pub fn delete_tree(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let Some(name) = path.file_name() else {
        return Err(Errno::INVAL.into());
    };
    let parent = match rustix::fs::open(parent, DIRECTORY, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        other => other?,
    };
    Ok(delete_below(&parent, name)?)
}

/// Deletes what has this name in a directory.
pub(crate) fn delete_below(parent: impl AsFd, name: &OsStr) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(&parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    let mut cursor = Cursor::of(open_below(&parent, name)?)?;
    loop {
        if let Some(name) = cursor.next() {
            match rustix::fs::unlinkat(&cursor.here, &name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::ISDIR | Errno::PERM) => cursor.enter(&name)?,
                Err(error) => return Err(error),
            }
        } else if cursor.depth() > 1 {
            let left = cursor.leave()?;
            rustix::fs::unlinkat(&cursor.here, &left, AtFlags::REMOVEDIR)?;
        } else {
            return rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR);
        }
    }
}

/// A place in a tree, and what is still to be seen on the way there.
struct Cursor {
    here: OwnedFd,
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
    fn at(path: &Path) -> std::io::Result<Self> {
        let top = rustix::fs::open(path, DIRECTORY, Mode::empty())?;
        Ok(Self::of(top)?)
    }

    fn of(top: OwnedFd) -> rustix::io::Result<Self> {
        let level = Level::of(&top, OsString::new())?;
        Ok(Self {
            here: top,
            levels: vec![level],
        })
    }

    /// The next name in the directory it is in.
    fn next(&mut self) -> Option<OsString> {
        self.levels.last_mut()?.names.pop()
    }

    fn depth(&self) -> usize {
        self.levels.len()
    }

    fn is_directory(&self, name: &OsStr) -> rustix::io::Result<bool> {
        Ok(look(self.here.as_fd(), name)?.0 == FileType::Directory)
    }

    fn enter(&mut self, name: &OsStr) -> rustix::io::Result<()> {
        let below = open_below(&self.here, name)?;
        self.levels.push(Level::of(&below, name.to_owned())?);
        self.here = below;
        Ok(())
    }

    /// Goes up; returns the name of what was left.
    fn leave(&mut self) -> rustix::io::Result<OsString> {
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

fn open_below(parent: impl AsFd, name: &OsStr) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(parent, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}
