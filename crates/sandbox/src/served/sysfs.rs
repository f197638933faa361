//! Mounting sysfs.
//!
//! Packager scripts of old images mount it on /sys at each start, where it is already, and bootstrap programs mount it in a new tree. The
//! kernel refuses the first, and the second in the host's network namespace; each refusal would be a line in the middle of what
//! is read.

use super::caller::Caller;
use super::{Answer, refused};
use crate::syscalls::{self, MOUNT_NODEV, MOUNT_NOEXEC, MOUNT_NOSUID, MOUNT_RDONLY, MountAttributes};
use rustix::mount::{MoveMountFlags, OpenTreeFlags};
use rustix::thread::CapabilitySet;
use std::io::{Error, Result};
use std::os::fd::{AsFd, OwnedFd};

/// What `statfs(2)` calls sysfs.
const MAGIC: libc::c_long = 0x6265_6572;
/// Flags of calls that change a mount instead of making one.
const OTHER_CALLS: u64 = libc::MS_BIND
    | libc::MS_MOVE
    | libc::MS_REMOUNT
    | libc::MS_PRIVATE
    | libc::MS_SHARED
    | libc::MS_SLAVE
    | libc::MS_UNBINDABLE;
/// How the process inside says that the kernel is to do it.
const GO_ON: i32 = libc::ENOTTY;

/// Does a call of `mount(2)`, if it is for this.
pub(super) fn mount(caller: &Caller<'_>, has_own_network: bool) -> Result<Answer> {
    let [_, target, kind, flags, ..] = *caller.arguments();
    if kind == 0 || flags & OTHER_CALLS != 0 {
        return Ok(Answer::GoOn);
    }
    // Whoever changes the text meanwhile has the kernel judge it, with the command's own rights.
    if !caller.text(kind).is_ok_and(|kind| kind.as_c_str() == c"sysfs") {
        return Ok(Answer::GoOn);
    }
    let target = caller.text(target)?;
    let hosts = if has_own_network { None } else { Some(hosts()?) };
    let done = caller.inside(libc::AT_FDCWD, CapabilitySet::SYS_ADMIN, |_| {
        if rustix::fs::statfs(&*target)?.f_type == MAGIC {
            return Ok(());
        }
        let Some(hosts) = hosts else {
            return Err(Error::from_raw_os_error(GO_ON));
        };
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        Ok(rustix::mount::move_mount(
            &hosts,
            "",
            rustix::fs::CWD,
            &*target,
            flags,
        )?)
    });
    match done {
        Err(error) if error.raw_os_error() == Some(GO_ON) => Ok(Answer::GoOn),
        Err(error) if error.raw_os_error().is_none() => Err(refused()),
        done => done.map(|()| Answer::Done),
    }
}

/// The host's, read-only.
fn hosts() -> Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let sysfs = rustix::mount::open_tree(rustix::fs::CWD, "/sys", flags)?;
    let wanted = MountAttributes {
        set: MOUNT_RDONLY | MOUNT_NODEV | MOUNT_NOSUID | MOUNT_NOEXEC,
        ..MountAttributes::default()
    };
    syscalls::set_mount_attributes(sysfs.as_fd(), false, &wanted)?;
    Ok(sysfs)
}
