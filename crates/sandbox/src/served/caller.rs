//! Who made a call, with what rights, and where it is.

use super::{refused, result_of};
use crate::spec::IDENTITIES;
use crate::syscalls;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, WaitOptions};
use rustix::thread::{CapabilitySet, LinkNameSpaceType};
use std::ffi::CString;
use std::io::{Error, Result};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// Longest path, bytes with the zero at its end.
const PATH_MAX: usize = 4096;

/// Who waits for the answer to a call.
pub(super) struct Caller<'a> {
    pub(super) listener: BorrowedFd<'a>,
    pub(super) call: &'a libc::seccomp_notif,
    pub(super) first_identity: u32,
}

impl Caller<'_> {
    pub(super) fn arguments(&self) -> &[u64; 6] {
        &self.call.data.args
    }

    /// A text in the caller's memory.
    pub(super) fn text(&self, address: u64) -> Result<CString> {
        read_path(self.call.pid, address)
    }

    /// Does something where the caller is (paths begin at `directory`, a descriptor of the caller's) and with its identity for files, in
    /// a process of its own, if the caller has a right.
    pub(super) fn inside(
        &self,
        directory: i32,
        right: CapabilitySet,
        work: impl FnOnce(&Who) -> Result<()>,
    ) -> Result<()> {
        let who = Who::of(self.call.pid)?;
        let place = Place::of(self.call.pid, directory)?;
        // Numbers of processes are used again: everything was read and opened of the one that waits.
        if !syscalls::notification_is_valid(self.listener, self.call.id) {
            return Err(refused());
        }
        let identities = self.first_identity..self.first_identity + IDENTITIES;
        if !who.rights.contains(right) || !identities.contains(&who.user) {
            return Err(refused());
        }
        place.inside(|| {
            syscalls::set_file_identity(who.user, who.group);
            work(&who)
        })
    }
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
pub(super) struct Who {
    user: u32,
    group: u32,
    pub(super) mask: u32,
    rights: CapabilitySet,
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
        let rights = u64::from_str_radix(field("CapEff:")?, 16).map_err(Error::other)?;
        Ok(Self {
            user: file_identity("Uid:")?,
            group: file_identity("Gid:")?,
            mask: u32::from_str_radix(field("Umask:")?, 8).map_err(Error::other)?,
            rights: CapabilitySet::from_bits_retain(rights),
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
                return result_of(status.exit_status());
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
