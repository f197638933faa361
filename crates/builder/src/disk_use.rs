//! What is free on a file system, and what directories of strangers take of it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::cursor::walk;

/// What builds leave free on the file system, so that other builds and daemons go on: 256 MiB, but not more than a twentieth.
const RESERVE_BYTES: u64 = 256 << 20;

/// See [`RESERVE_BYTES`].
const RESERVE_PART: u64 = 20;

/// What `st_blocks` counts.
const BLOCK_BYTES: u64 = 512;

/// Files that builds leave room for on the file system, but not more than a twentieth: those of a few builds' side work.
const RESERVE_FILES: u64 = 10_000;

/// Says so if what is left of a file system is what stays free.
pub(crate) fn full(place: &Path) -> Option<String> {
    let space = rustix::fs::statvfs(place).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let whole = space.f_blocks.saturating_mul(space.f_frsize);
    if free < RESERVE_BYTES.min(whole / RESERVE_PART) {
        return Some(format!(
            "the disk of the builds is full ({} are free, which stay free): no space left on device",
            human::bytes(free)
        ));
    }
    // Some file systems have as many as there is room for, and say 0 of 0.
    (space.f_favail < RESERVE_FILES.min(space.f_files / RESERVE_PART)).then(|| {
        format!(
            "the disk of the builds has room for {} more files only, which stays free: no space left on device",
            space.f_favail
        )
    })
}

/// Bytes on the disk below directories, however deep. What vanishes meanwhile is not counted, links are not followed.
///
/// # Errors
/// A directory that was being looked into was moved.
pub(crate) fn used(places: &[PathBuf]) -> rustix::io::Result<u64> {
    let mut bytes = 0_u64;
    let mut linked = HashSet::new();
    for place in places {
        let walked = walk(place, &mut |_, _, _, stat| {
            if stat.st_nlink == 1 || linked.insert((stat.st_dev, stat.st_ino)) {
                let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
                bytes = bytes.saturating_add(blocks.saturating_mul(BLOCK_BYTES));
            }
        });
        match walked {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}
