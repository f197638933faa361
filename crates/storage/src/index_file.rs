//! Index files in the roots of the two directories: read whole, replaced whole, never needed.

use crate::error::IoContext;
use crate::resolve::open_beneath;
use crate::{Result, StorageError};
use rustix::fs::{AtFlags, Mode, OFlags, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::fd::OwnedFd;

/// Longest index that is read or written, bytes: room for 10 million objects.
const INDEX_LIMIT_BYTES: u64 = 1 << 30;

/// Written at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// The bytes of an index, `None` if there is none. The rest of a write that a killed process left is removed: an index is
/// read at the start alone, when nobody writes one.
///
/// Errors: it is there and cannot be read, or is too long to be ours.
pub(crate) fn read(root: &OwnedFd, name: &str) -> Result<Option<Vec<u8>>> {
    let what = || name.to_owned();
    let _ = unlinkat(root, temporary_of(name), AtFlags::empty());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let descriptor = match open_beneath(root, name, flags, Mode::empty()) {
        Ok(descriptor) => descriptor,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error).context("open index", what),
    };
    let stat = fstat(&descriptor).context("look at index", what)?;
    let length = u64::try_from(stat.st_size).unwrap_or(0);
    if length > INDEX_LIMIT_BYTES {
        return Err(Errno::FBIG).context("read index", what);
    }
    let mut content = Vec::with_capacity(length as usize);
    // No further than it was long: who appends to it meanwhile spoils it, and no more.
    File::from(descriptor)
        .take(length)
        .read_to_end(&mut content)
        .context("read index", what)?;
    Ok(Some(content))
}

/// Replaces an index. Not flushed: after a power cut the old one, the new one or a torn one is there, and the checksum
/// tells a torn one.
pub(crate) fn write<'a>(
    root: &OwnedFd,
    name: &str,
    pieces: impl Iterator<Item = &'a [u8]> + Clone,
) -> Result<()> {
    let what = || name.to_owned();
    let length: u64 = pieces.clone().map(|piece| piece.len() as u64).sum();
    if length > INDEX_LIMIT_BYTES {
        return Err(Errno::FBIG).context("write index", what);
    }
    let temporary = temporary_of(name);
    let _ = unlinkat(root, &temporary, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mode = Mode::from_raw_mode(0o600);
    let written = openat(root, &temporary, flags, mode)
        .map_err(std::io::Error::from)
        .and_then(|descriptor| write_all(File::from(descriptor), pieces))
        .and_then(|()| Ok(renameat(root, &temporary, root, name)?));
    written
        .context("write index", what)
        .inspect_err(|_: &StorageError| {
            let _ = unlinkat(root, &temporary, AtFlags::empty());
        })
}

fn temporary_of(name: &str) -> String {
    format!("{name}~")
}

fn write_all<'a>(file: File, pieces: impl Iterator<Item = &'a [u8]>) -> std::io::Result<()> {
    let mut writer = BufWriter::with_capacity(BUFFER_BYTES, file);
    for piece in pieces {
        writer.write_all(piece)?;
    }
    writer.flush()
}
