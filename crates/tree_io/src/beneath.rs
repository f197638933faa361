//! Opening things below a directory so that no name and no symbolic link, not even one made in that very moment, leads
//! elsewhere.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// How often a path walk that raced with a rename is tried again before the race is reported.
const RACE_RETRIES: u32 = 16;

/// An open directory that everything else is opened relative to.
#[derive(Debug)]
pub(crate) struct Root(OwnedFd);

impl Root {
    /// Opens `path`; symbolic links in it are followed, it is the caller's own choice.
    pub(crate) fn open(path: &Path) -> io::Result<Root> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Root(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Opens `path` (relative, or with leading slashes that do not count) without following any symbolic link.
    pub(crate) fn open_beneath(&self, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
        let path = relative(path);
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match self.resolve(path, flags | OFlags::NOFOLLOW, mode, resolve) {
            // Containers may filter the system call away (ENOSYS or EPERM); a walk by hand is slower but as safe.
            Err(Errno::NOSYS | Errno::PERM) => self.walk(path, flags, mode),
            other => other,
        }
    }

    /// Opens `path`, following symbolic links as a process would whose root directory this is.
    pub(crate) fn open_in_root(&self, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
        self.resolve(
            relative(path),
            flags,
            mode,
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        )
    }

    /// A directory below the root, for reading its entries or changing them.
    pub(crate) fn directory(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        self.open_beneath(
            path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
    }

    fn resolve(
        &self,
        path: &[u8],
        flags: OFlags,
        mode: Mode,
        resolve: ResolveFlags,
    ) -> rustix::io::Result<OwnedFd> {
        let mut tries = 0;
        loop {
            match openat2(&self.0, path, flags | OFlags::CLOEXEC, mode, resolve) {
                Err(Errno::AGAIN) if tries < RACE_RETRIES => tries += 1,
                other => return other,
            }
        }
    }

    fn walk(&self, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
        let mut components = path
            .split(|&b| b == b'/')
            .filter(|c| !c.is_empty() && *c != b".")
            .peekable();
        let step = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut here = openat(&self.0, ".", step, Mode::empty())?;
        while let Some(component) = components.next() {
            if component == b".." {
                return Err(Errno::XDEV);
            }
            if components.peek().is_none() {
                return openat(&here, component, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, mode);
            }
            here = openat(&here, component, step, Mode::empty())?;
        }
        openat(&here, ".", flags | OFlags::CLOEXEC, mode)
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn relative(path: &[u8]) -> &[u8] {
    let start = path.iter().position(|&b| b != b'/').unwrap_or(path.len());
    if start == path.len() { b"." } else { &path[start..] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const READ: OFlags = OFlags::RDONLY;

    #[test]
    fn no_symbolic_link_leads_out() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "x").unwrap();
        symlink("/etc", dir.path().join("out")).unwrap();
        symlink("file", dir.path().join("last")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        for by_hand in [false, true] {
            let open = |path: &[u8]| {
                if by_hand {
                    root.walk(relative(path), READ, Mode::empty())
                } else {
                    root.open_beneath(path, READ, Mode::empty())
                }
            };
            assert!(open(b"/file").is_ok());
            assert!(open(b"/").is_ok());
            assert!(open(b"/out/passwd").is_err());
            assert!(open(b"/last").is_err());
            assert!(open(b"../x").is_err());
        }
    }

    #[test]
    fn absolute_links_stay_inside_when_resolved_in_root() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        std::fs::write(dir.path().join("data/here"), "x").unwrap();
        symlink("/data", dir.path().join("var")).unwrap();
        symlink("../../../../etc", dir.path().join("etc")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert!(root.open_in_root(b"var/here", READ, Mode::empty()).is_ok());
        assert!(root.open_in_root(b"etc/passwd", READ, Mode::empty()).is_err());
    }
}
