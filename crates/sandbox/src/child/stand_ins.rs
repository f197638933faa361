//! Nodes of the console that could not be opened while the command ran get their number when it has ended.

use super::{During, Step, walk};
use crate::served::{STAND_IN, console};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The name that a node has until it takes its place.
const TEMPORARY: &str = ".imagewright-console";

/// Puts the real ones in their places, below a directory in which nothing runs any more.
pub(super) fn replace(top: &OwnedFd) -> Step<()> {
    let mut found = Vec::new();
    // Those too deep to be found keep a number that no device has.
    let _ = walk::each(top.as_fd(), |parent, name, stat| {
        let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
        if is_device && stat.st_rdev == STAND_IN {
            found.push((parent.try_clone_to_owned(), name.to_owned(), *stat));
        }
    });
    for (parent, name, stat) in found {
        let parent = parent.during("the console's device node")?;
        put(parent.as_fd(), &name, &stat).during("the console's device node")?;
    }
    Ok(())
}

fn put(parent: BorrowedFd<'_>, name: &std::ffi::CStr, stat: &rustix::fs::Stat) -> rustix::io::Result<()> {
    let above = rustix::fs::fstat(parent)?;
    let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
    rustix::fs::mknodat(parent, TEMPORARY, FileType::CharacterDevice, mode, console())?;
    let node = rustix::fs::openat(
        parent,
        TEMPORARY,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let (user, group) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rustix::fs::chownat(
        parent,
        TEMPORARY,
        Some(user),
        Some(group),
        AtFlags::SYMLINK_NOFOLLOW,
    )?;
    // This way no link is followed, whatever is at the name by now.
    let node = format!("/proc/self/fd/{}", node.as_raw_fd());
    rustix::fs::chmod(node, mode)?;
    rustix::fs::utimensat(parent, TEMPORARY, &times(stat), AtFlags::SYMLINK_NOFOLLOW)?;
    rustix::fs::renameat(parent, TEMPORARY, parent, name)?;
    rustix::fs::futimens(parent, &times(&above))
}

fn times(stat: &rustix::fs::Stat) -> Timestamps {
    let time = |seconds, nanoseconds: u64| Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds as i64,
    };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}
