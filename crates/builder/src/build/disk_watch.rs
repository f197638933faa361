//! Ends a build that takes more of the disk than it may, or that fills it.
//!
//! Ordinary file systems cannot limit a directory, so this looks from time to time: how much is free, and, where there is a limit,
//! how much the tree has. What a build writes between two looks is not prevented; the reserve is there for that.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};

use super::overseer::Overseer;

/// Time between two looks at what is free.
const PERIOD: Duration = Duration::from_millis(500);

/// Looking at a tree takes at most one part in so many of the time.
const REST_FACTOR: u32 = 20;

/// What builds leave free on the file system, so that other builds and daemons go on: 256 MiB, but not more than a twentieth.
const RESERVE_BYTES: u64 = 256 << 20;

/// See [`RESERVE_BYTES`].
const RESERVE_PART: u64 = 20;

/// What `st_blocks` counts.
const BLOCK_BYTES: u64 = 512;

/// Directories inside each other that are looked into.
const MOST_DEPTH: usize = 256;

/// Watches until it is dropped.
pub(crate) struct DiskWatch {
    _stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DiskWatch {
    /// `most_bytes`: what the build may add to what is in `root` now.
    pub(crate) fn start(root: &Path, most_bytes: Option<u64>, overseer: &Arc<Overseer>) -> DiskWatch {
        let (stop, stopped) = channel();
        let (root, overseer) = (root.to_owned(), Arc::clone(overseer));
        let work = move || {
            let before = most_bytes.map(|most| (most, used(&root)));
            let mut pause = PERIOD;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let began = Instant::now();
                if let Some(reason) = look(&root, before) {
                    overseer.stop(reason);
                    return;
                }
                pause = PERIOD.max(began.elapsed() * REST_FACTOR);
            }
        };
        let thread = std::thread::Builder::new()
            .name("disk-watch".to_owned())
            .spawn(work);
        DiskWatch {
            _stop: Some(stop),
            thread: thread.ok(),
        }
    }
}

impl Drop for DiskWatch {
    fn drop(&mut self) {
        self._stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Why the build is to end, if it is.
fn look(root: &PathBuf, limit: Option<(u64, u64)>) -> Option<String> {
    if let Ok(space) = rustix::fs::statvfs(root) {
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        let whole = space.f_blocks.saturating_mul(space.f_frsize);
        if free < RESERVE_BYTES.min(whole / RESERVE_PART) {
            return Some(format!(
                "the disk of the builds is full ({} are free, which stay free): no space left on device",
                human::bytes(free)
            ));
        }
    }
    let (most, before) = limit?;
    let added = used(root).saturating_sub(before);
    (added > most).then(|| {
        format!(
            "the build has put more than {} on the disk, which is the limit",
            human::bytes(most)
        )
    })
}

/// Bytes on the disk below a directory. What vanishes meanwhile is not counted, links are not followed.
fn used(root: &Path) -> u64 {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(top) = rustix::fs::open(root, flags, Mode::empty()) else {
        return 0;
    };
    let mut bytes = 0;
    let mut linked = HashSet::new();
    let mut open = vec![Dir::read_from(&top)];
    while let depth @ 1.. = open.len()
        && let Some(directory) = open.last_mut()
    {
        let Ok(directory) = directory else {
            open.pop();
            continue;
        };
        let Some(Ok(entry)) = directory.next() else {
            open.pop();
            continue;
        };
        if matches!(entry.file_name().to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(fd) = directory.fd() else { continue };
        let Ok(stat) = statat(fd, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        if stat.st_nlink > 1 && !linked.insert(stat.st_ino) {
            continue;
        }
        bytes += u64::try_from(stat.st_blocks).unwrap_or(0) * BLOCK_BYTES;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory && depth < MOST_DEPTH {
            let below = openat(fd, entry.file_name(), flags, Mode::empty());
            open.push(below.and_then(Dir::new));
        }
    }
    bytes
}
