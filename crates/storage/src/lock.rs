//! One process per directory.

use crate::{Result, Stamp, StorageError, error::IoContext};
use rustix::fs::{
    FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, flock, fstat, futimens, openat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Held as long as it lives. `flock` and not a pid file: the kernel lets go when the process dies, however it dies.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    file: File,
}

impl DirectoryLock {
    /// Takes the lock `name` (a dot name) in `root`, which was opened from `path`.
    pub(crate) fn take(root: &OwnedFd, path: &Path, name: &str) -> Result<DirectoryLock> {
        let descriptor = openat(
            root,
            name,
            OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::from_raw_mode(0o600),
        )
        .context("open lock file", || name.to_owned())?;
        let mut file = File::from(descriptor);
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let known = file.read_to_string(&mut text).is_ok();
                let holder = match text.trim().parse::<u32>() {
                    Ok(pid) if known => format!(" (pid {pid})"),
                    _ => String::new(),
                };
                return Err(StorageError::Locked {
                    directory: path.display().to_string(),
                    holder,
                });
            }
            Err(error) => return Err(error).context("lock", || name.to_owned()),
        }
        // The pid is there for the reader of the refusal only; failing to write it (disk full) is no reason to stop.
        let _ = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(DirectoryLock { file })
    }

    /// What the clock of the directory's file system says, nanoseconds since 1970: files there get this time or a later
    /// one from now on. Not the process's clock, which over a network is another.
    pub(crate) fn clock_ns(&self) -> Result<i64> {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        let both = Timestamps {
            last_access: now,
            last_modification: now,
        };
        futimens(&self.file, &both)
            .and_then(|()| fstat(&self.file))
            .map(|stat| Stamp::of(&stat).ctime_ns)
            .context("ask for the time of", || "the lock file".to_owned())
    }
}
