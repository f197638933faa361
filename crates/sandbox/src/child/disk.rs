//! How much of the disk a command takes, and when that is too much.
//!
//! Ordinary file systems cannot limit a directory. This looks at what is free on the file system, which costs nothing, the sooner the less
//! is left: before what is left can be written at the speed of memory (calls that take space without writing are refused by
//! the filter). What others write on the file system looks the same, so the tree itself is measured before a command is ended, unless
//! the disk is all but full.

use super::walk::{self, Seen};
use rustix::fs::{Mode, OFlags};
use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a command leaves free on the file system: 1 GiB, but not more than a twentieth.
const RESERVE_BYTES: u64 = 1 << 30;
const RESERVE_PART: u64 = 20;
/// Inodes that it leaves free, but not more than a twentieth of all.
const RESERVE_INODES: u64 = 1 << 16;
/// How fast files are made at most, a second.
const FASTEST_INODES: u64 = 1 << 20;
/// Below this part of the reserve it ends in any case; above, only a command that took as much itself.
const LAST_PART: u64 = 4;
/// How fast files grow at most, bytes a second: pages of memory, before anything reaches a disk.
const FASTEST: u64 = 8 << 30;
/// Between two looks.
const LOOK_SOONEST: Duration = Duration::from_millis(5);
const LOOK_LATEST: Duration = Duration::from_millis(250);
/// Measuring a tree takes at most one part in so many of the time.
const REST_FACTOR: u32 = 4;
/// When so much of its limit was taken by anybody, the tree is measured for the first time.
const FIRST_PART: u64 = 8;
/// What `st_blocks` counts.
const BLOCK_BYTES: u64 = 512;

/// Watches one command.
pub(super) struct Disk {
    top: OwnedFd,
    /// User namespace of the command: who has deleted files open.
    namespace: (u64, u64),
    limit: Option<u64>,
    reserve: u64,
    free_at_start: u64,
    inodes_reserve: u64,
    inodes_at_start: u64,
    next: Instant,
    measured: Option<Measured>,
}

/// The tree when it was measured.
#[derive(Clone, Copy)]
struct Measured {
    /// At the first time that all of it could be seen, bytes.
    first: Option<u64>,
    /// What it grew since then, bytes.
    grown: u64,
    free: u64,
    /// Not again before.
    rest_until: Instant,
}

impl Disk {
    /// `top`: the tree. `namespace`: the command's user namespace. Nothing is watched where the file system tells nothing.
    pub(super) fn new(top: OwnedFd, namespace: &OwnedFd, limit: Option<u64>) -> Option<Self> {
        let space = rustix::fs::fstatvfs(&top).ok()?;
        let stat = rustix::fs::fstat(namespace).ok()?;
        let whole = space.f_blocks.saturating_mul(space.f_frsize);
        Some(Self {
            free_at_start: free(&top)?.bytes,
            // File systems without such a limit (btrfs) say 0, for the reserve as well.
            inodes_reserve: RESERVE_INODES.min(space.f_files / RESERVE_PART),
            inodes_at_start: space.f_favail,
            top,
            namespace: (stat.st_dev, stat.st_ino),
            limit,
            reserve: RESERVE_BYTES.min(whole / RESERVE_PART),
            next: Instant::now(),
            measured: None,
        })
    }

    /// Not watched any more.
    pub(super) fn into_top(self) -> OwnedFd {
        self.top
    }

    /// When to look again.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Whether the command is to end. Does nothing before [`Self::next`].
    pub(super) fn is_over(&mut self) -> bool {
        let now = Instant::now();
        if now < self.next {
            return false;
        }
        let Some(Free { bytes: free, inodes }) = free(&self.top) else {
            return false;
        };
        if self.is_out_of_inodes(inodes) {
            return true;
        }
        let taken = self.free_at_start.saturating_sub(free);
        let is_near = free < self.reserve.saturating_mul(2)
            || self.limit.is_some_and(|limit| taken >= limit / FIRST_PART);
        if self.measured.is_none() && is_near {
            self.measure(free);
        }
        if free < self.reserve / LAST_PART {
            return true;
        }
        if free < self.reserve && self.grown(free) >= self.reserve / LAST_PART {
            self.measure(free);
            if self.grown(free) >= self.reserve / LAST_PART {
                return true;
            }
        }
        if let Some(limit) = self.limit.filter(|limit| self.grown(free) >= *limit) {
            self.measure(free);
            if self.grown(free) >= limit {
                return true;
            }
        }
        let mut left = free.saturating_sub(self.reserve);
        if let Some(limit) = self.limit {
            left = left.min(limit.saturating_sub(self.grown(free)));
            if self.measured.is_none() {
                left = left.min((limit / FIRST_PART).saturating_sub(taken));
            }
        }
        let inodes_left = inodes.saturating_sub(self.inodes_reserve);
        let mut wait = Duration::from_secs_f64(left as f64 / FASTEST as f64);
        if self.inodes_reserve > 0 {
            wait = wait.min(Duration::from_secs_f64(
                inodes_left as f64 / FASTEST_INODES as f64,
            ));
        }
        self.next = Instant::now() + wait.clamp(LOOK_SOONEST, LOOK_LATEST);
        false
    }

    /// Whoever took them: who makes files is not looked for.
    fn is_out_of_inodes(&self, free: u64) -> bool {
        let last = self.inodes_reserve / LAST_PART;
        let taken = self.inodes_at_start.saturating_sub(free);
        free < last || free < self.inodes_reserve && taken > last
    }

    /// What the tree has grown at most: what was measured, and all that anybody took since.
    fn grown(&self, free: u64) -> u64 {
        match &self.measured {
            Some(measured) => measured.grown + measured.free.saturating_sub(free),
            None => self.free_at_start.saturating_sub(free),
        }
    }

    fn measure(&mut self, free: u64) {
        let began = Instant::now();
        if self.measured.is_some_and(|measured| began < measured.rest_until) {
            return;
        }
        let used = self.used();
        let first = self.measured.and_then(|measured| measured.first).or(used);
        self.measured = Some(Measured {
            first,
            // What hides from us took all that anybody took.
            grown: match (used, first) {
                (Some(used), Some(first)) => used.saturating_sub(first),
                _ => self.free_at_start.saturating_sub(free),
            },
            free,
            rest_until: Instant::now() + began.elapsed() * REST_FACTOR,
        });
    }

    /// Bytes of the tree on the disk, and of deleted files that are still open. Nothing if not all of it can be seen.
    fn used(&self) -> Option<u64> {
        let mut linked = HashSet::new();
        let mut bytes = 0;
        let seen = walk::each(self.top.as_fd(), |_, _, stat| {
            if stat.st_nlink <= 1 || linked.insert(stat.st_ino) {
                bytes += u64::try_from(stat.st_blocks).unwrap_or(0) * BLOCK_BYTES;
            }
        });
        (seen == Seen::Everything).then(|| bytes + self.deleted().unwrap_or(0))
    }

    fn deleted(&self) -> std::io::Result<u64> {
        let device = rustix::fs::fstat(&self.top)?.st_dev;
        let mut counted = HashSet::new();
        let mut bytes = 0;
        for process in std::fs::read_dir("/proc")?.flatten() {
            let process = process.path();
            let namespace = std::fs::metadata(process.join("ns/user"));
            if !namespace.is_ok_and(|found| (found.dev(), found.ino()) == self.namespace) {
                continue;
            }
            // What is mapped need not be open any more.
            for kind in ["fd", "map_files"] {
                for file in std::fs::read_dir(process.join(kind))
                    .into_iter()
                    .flatten()
                    .flatten()
                {
                    let Ok(data) = std::fs::metadata(file.path()) else {
                        continue;
                    };
                    if data.nlink() == 0 && data.dev() == device && counted.insert(data.ino()) {
                        bytes += data.blocks() * BLOCK_BYTES;
                    }
                }
            }
        }
        Ok(bytes)
    }
}

/// Opens a tree to be watched.
pub(super) fn open(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).ok()
}

/// What is free for everybody.
struct Free {
    bytes: u64,
    inodes: u64,
}

fn free(top: &OwnedFd) -> Option<Free> {
    let space = rustix::fs::fstatvfs(top).ok()?;
    Some(Free {
        bytes: space.f_bavail.saturating_mul(space.f_frsize),
        inodes: space.f_favail,
    })
}
