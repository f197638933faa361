//! Everything in a tree, without following links and without leaving its file system.

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

/// Directories inside each other that are looked into: each is an open file.
const MOST_DEPTH: usize = 400;

/// Shows every entry with its directory. What vanishes meanwhile, or cannot be read, is left out.
pub(super) fn each(top: BorrowedFd<'_>, mut visit: impl FnMut(BorrowedFd<'_>, &CStr, &Stat)) {
    let Ok(device) = rustix::fs::fstat(top).map(|stat| stat.st_dev) else {
        return;
    };
    let mut open: Vec<Dir> = read(top, c".").into_iter().collect();
    while let Some(directory) = open.last_mut() {
        let Some(Ok(entry)) = directory.next() else {
            open.pop();
            continue;
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
            let below = read(parent, name).filter(|_| open.len() < MOST_DEPTH);
            open.extend(below);
        }
    }
}

fn read(parent: BorrowedFd<'_>, name: &CStr) -> Option<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(parent.as_fd(), name, flags, Mode::empty()).ok()?;
    Dir::new(directory).ok()
}
