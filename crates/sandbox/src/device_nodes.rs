//! The few device nodes that may be made.
//!
//! Inside a user namespace no device node can be made at all, but packages and bootstrap programs make the usual ones. The filter
//! hands such calls to the supervisor, which has the right: it makes the node *as the command would*, in its root and
//! directory and with its identity, in a process of its own. What paths, links and mounts are in the way leads to no other
//! place than it leads the command to.

use crate::spec::IDENTITIES;
use crate::syscalls;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, WaitOptions};
use rustix::thread::{CapabilitySet, LinkNameSpaceType};
use std::ffi::CString;
use std::io::{Error, Result};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// Character devices by major and minor number: null, zero, full, random, urandom; tty, console, ptmx.
const USUAL: [(u32, u32); 8] = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)];
/// Longest path, bytes with the zero at its end.
const PATH_MAX: usize = 4096;

/// Answers one call.
pub(crate) fn serve(listener: BorrowedFd<'_>, first_identity: u32) {
    let Ok(call) = syscalls::receive_notification(listener) else {
        // Its process is gone.
        return;
    };
    let error = match make(listener, &call, first_identity) {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().unwrap_or(libc::EPERM),
    };
    // It may be gone by now as well.
    let _ = syscalls::answer_notification(listener, call.id, error);
}

fn refused() -> Error {
    Error::from_raw_os_error(libc::EPERM)
}

fn make(listener: BorrowedFd<'_>, call: &libc::seccomp_notif, first_identity: u32) -> Result<()> {
    let arguments = &call.data.args;
    let (directory, rest) = if i64::from(call.data.nr) == libc::SYS_mknodat {
        (arguments[0] as i32, &arguments[1..])
    } else {
        (libc::AT_FDCWD, &arguments[..])
    };
    let (path, mode, device) = (rest[0], rest[1] as u32, rest[2]);
    if !USUAL.contains(&(libc::major(device), libc::minor(device))) {
        return Err(refused());
    }
    let path = read_path(call.pid, path)?;
    let who = Who::of(call.pid)?;
    let place = Place::of(call.pid, directory)?;
    // Numbers of processes are used again: everything was read and opened of the one that waits.
    if !syscalls::notification_is_valid(listener, call.id) {
        return Err(refused());
    }
    let identities = first_identity..first_identity + IDENTITIES;
    if !who.may_make_nodes || !identities.contains(&who.user) {
        return Err(refused());
    }
    place.inside(move || {
        syscalls::set_file_identity(who.user, who.group);
        // Changing the identity took this away. It is the right to make nodes, and not that to go anywhere.
        let mut sets = rustix::thread::capabilities(None)?;
        sets.effective = CapabilitySet::MKNOD;
        rustix::thread::set_capabilities(None, sets)?;
        syscalls::make_node(&path, mode & !who.mask, device)
    })
}

fn read_path(pid: u32, address: u64) -> Result<CString> {
    let memory = std::fs::File::open(format!("/proc/{pid}/mem"))?;
    let mut bytes = vec![0; PATH_MAX];
    let mut filled = 0;
    // Page by page: what follows the path may not be there.
    while filled < PATH_MAX && !bytes[..filled].contains(&0) {
        let at = address + filled as u64;
        let until_page_end = 4096 - (at % 4096) as usize;
        let end = (filled + until_page_end).min(PATH_MAX);
        match memory.read_at(&mut bytes[filled..end], at)? {
            0 => return Err(Error::from_raw_os_error(libc::EFAULT)),
            read => filled += read,
        }
    }
    let end = bytes[..filled].iter().position(|byte| *byte == 0);
    let end = end.ok_or_else(|| Error::from_raw_os_error(libc::ENAMETOOLONG))?;
    bytes.truncate(end);
    CString::new(bytes).map_err(Error::other)
}

/// What the kernel would have looked at.
struct Who {
    user: u32,
    group: u32,
    mask: u32,
    may_make_nodes: bool,
}

impl Who {
    fn of(pid: u32) -> Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::trim).ok_or_else(refused)
        };
        // Real, effective, saved, and the one for files.
        let file_identity = |name| {
            let number = field(name)?
                .split_whitespace()
                .nth(3)
                .and_then(|text| text.parse().ok());
            number.ok_or_else(refused)
        };
        let capabilities = u64::from_str_radix(field("CapEff:")?, 16).map_err(Error::other)?;
        let capabilities = CapabilitySet::from_bits_retain(capabilities);
        Ok(Self {
            user: file_identity("Uid:")?,
            group: file_identity("Gid:")?,
            mask: u32::from_str_radix(field("Umask:")?, 8).map_err(Error::other)?,
            may_make_nodes: capabilities.contains(CapabilitySet::MKNOD),
        })
    }
}

/// Where a process is.
struct Place {
    mounts: OwnedFd,
    root: OwnedFd,
    directory: OwnedFd,
}

impl Place {
    fn of(pid: u32, directory: i32) -> Result<Self> {
        let open =
            |path: String, flags: OFlags| rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty());
        let directory = match directory {
            libc::AT_FDCWD => "cwd".to_owned(),
            number => format!("fd/{number}"),
        };
        Ok(Self {
            mounts: open(format!("/proc/{pid}/ns/mnt"), OFlags::RDONLY)?,
            root: open(format!("/proc/{pid}/root"), OFlags::PATH)?,
            directory: open(format!("/proc/{pid}/{directory}"), OFlags::PATH)?,
        })
    }

    /// Does something there, in a process of its own.
    fn inside(self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let Some(child) = syscalls::fork()? else {
            let go = || -> Result<()> {
                let kind = Some(LinkNameSpaceType::Mount);
                rustix::thread::move_into_link_name_space(self.mounts.as_fd(), kind)?;
                rustix::process::fchdir(&self.root)?;
                rustix::process::chroot(".")?;
                rustix::process::fchdir(&self.directory)?;
                rustix::process::umask(Mode::empty());
                work()
            };
            let code = match go() {
                Ok(()) => 0,
                Err(error) => error.raw_os_error().unwrap_or(libc::EPERM),
            };
            syscalls::exit_now(code);
        };
        wait(child)
    }
}

fn wait(child: Pid) -> Result<()> {
    loop {
        match rustix::process::waitpid(Some(child), WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                return match status.exit_status() {
                    Some(0) => Ok(()),
                    Some(error) => Err(Error::from_raw_os_error(error)),
                    None => Err(refused()),
                };
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
