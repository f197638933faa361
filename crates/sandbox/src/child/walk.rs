//! Everything in a tree, without following links and without leaving its file system.

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

/// Directories inside each other that are looked into: each is an open file. No image has nearly as many; who makes more is told to the caller.
const MOST_DEPTH: usize = 400;

/// Whether everything was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Seen {
    Everything,
    /// Something was too deep, or could not be read.
    NotAll,
}

/// Shows every entry with its directory. What vanishes meanwhile is left out.
pub(super) fn each(top: BorrowedFd<'_>, mut visit: impl FnMut(BorrowedFd<'_>, &CStr, &Stat)) -> Seen {
    let Ok(device) = rustix::fs::fstat(top).map(|stat| stat.st_dev) else {
        return Seen::NotAll;
    };
    let Ok(Some(first)) = read(top, c".") else {
        return Seen::NotAll;
    };
    let mut seen = Seen::Everything;
    let mut open = vec![first];
    while let Some(directory) = open.last_mut() {
        let entry = match directory.next() {
            Some(Ok(entry)) => entry,
            end => {
                if end.is_some() {
                    seen = Seen::NotAll;
                }
                open.pop();
                continue;
            }
        };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(parent) = directory.fd() else { continue };
        let Ok(stat) = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        if stat.st_dev != device {
            continue;
        }
        visit(parent, name, &stat);
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let below = read(parent, name);
            match below {
                Ok(below) if open.len() < MOST_DEPTH => open.extend(below),
                _ => seen = Seen::NotAll,
            }
        }
    }
    seen
}

/// Nothing if it is gone, or no directory any more.
fn read(parent: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<Option<Dir>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(parent.as_fd(), name, flags, Mode::empty()) {
        Ok(directory) => Dir::new(directory).map(Some),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error),
    }
}
