//! Putting one file into a tree.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::in_root::Tree;

/// Bytes read at a time when two files are compared.
const COMPARED_BYTES: usize = 64 << 10;
/// What the group and others may not, whatever the manifest's file says.
const UMASK: u32 = 0o022;

/// Puts a file at a path as a new inode that is there whole or not at all; whatever file or link is there gives way. Other names of that
/// file keep the old content.
pub(super) fn replace(tree: &Tree, path: &Path, mut content: impl io::Read, mode: u32) -> io::Result<()> {
    let (parent, name) = tree.parent(path)?;
    let mut temporary = name.to_owned();
    temporary.push("~");
    remove_if_there(&parent, &temporary)?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(mode & 0o777 & !UMASK);
    let file = rustix::fs::openat(&parent, &temporary, flags, mode)?;
    let mut file = File::from(file);
    let done = io::copy(&mut content, &mut file).and_then(|_| {
        // Whatever the umask of the process.
        rustix::fs::fchmod(&file, mode)?;
        Ok(rustix::fs::renameat(&parent, &temporary, &parent, name)?)
    });
    if done.is_err() {
        // The error that matters is the first.
        let _ = remove_if_there(&parent, &temporary);
    }
    done
}

/// Puts a link at a path, unless the same is there.
pub(super) fn link(tree: &Tree, path: &Path, target: &OsStr) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let (parent, name) = tree.parent(path)?;
    if rustix::fs::readlinkat(&parent, name, Vec::new()).is_ok_and(|is| is.to_bytes() == target.as_bytes()) {
        return Ok(());
    }
    remove_if_there(&parent, &OsString::from(name))?;
    Ok(rustix::fs::symlinkat(target, &parent, name)?)
}

fn remove_if_there(parent: impl AsFd, name: &OsString) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

/// Whether there is a file of the same content at a path, through links. Both are read to the first difference.
pub(super) fn is_same(tree: &Tree, path: &Path, content: &File) -> io::Result<bool> {
    let there = match tree.regular_file(path, OFlags::RDONLY) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let length = content.metadata()?.len();
    if length != there.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; COMPARED_BYTES], vec![0; COMPARED_BYTES]);
    let mut at = 0;
    while at < length {
        use std::os::unix::fs::FileExt;
        let bytes = usize::try_from(length - at).map_or(COMPARED_BYTES, |left| left.min(COMPARED_BYTES));
        content.read_exact_at(&mut left[..bytes], at)?;
        there.read_exact_at(&mut right[..bytes], at)?;
        if left[..bytes] != right[..bytes] {
            return Ok(false);
        }
        at += bytes as u64;
    }
    Ok(true)
}
