//! Opening what lies below a directory, and nothing else.

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Opens `path` relative to `root`. The kernel refuses `..`, absolute paths and symbolic links at any component, so
/// that a name from a peer, or a link somebody planted in the tree, cannot lead outside. Needs Linux 5.6.
pub(crate) fn open_beneath(root: impl AsFd, path: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    loop {
        let opened = openat2(
            &root,
            path,
            flags | OFlags::CLOEXEC,
            mode,
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
        );
        match opened {
            // The kernel could not rule out a race with a rename somewhere: it asks to be called again.
            Err(Errno::AGAIN) | Err(Errno::INTR) => continue,
            other => return other,
        }
    }
}

/// Opens a directory below `root`.
pub(crate) fn open_directory(root: impl AsFd, path: &str) -> Result<OwnedFd, Errno> {
    open_beneath(root, path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
}

/// Opens the root itself, where symbolic links are the administrator's business.
pub(crate) fn open_root(path: &Path) -> std::io::Result<OwnedFd> {
    let descriptor = rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    Ok(descriptor)
}

/// A second open file description of the same file or directory, in the form `linkat` can use without privileges
/// (`AT_EMPTY_PATH` needs CAP_DAC_READ_SEARCH on kernels before 6.10).
pub(crate) fn proc_path(file: &File) -> String {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
