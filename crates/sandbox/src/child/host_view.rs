//! The host as a command sees it that makes a tree with the host's programs: read-only, without rights on it, without the
//! places where daemons and people keep what is theirs.

use super::mounts::{
    self, PLACES, attach_at, attach_on, attributes, bound, map_identities, open, open_in, relative,
};
use super::{During, Step};
use crate::resolver;
use crate::spec::Spec;
use crate::syscalls::{MOUNT_NODEV, MOUNT_NOSUID, MOUNT_RDONLY};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, UnmountFlags};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

/// Where daemons of the host and people keep what a command has no business with.
const EMPTY: [&str; 6] = ["home", "media", "root", "run", "tmp", "var/tmp"];
/// Where programs look for name servers.
const RESOLVER: &str = "etc/resolv.conf";

/// The whole host, read-only, on top of the directory that may be written, and in it that directory.
pub(super) fn mount(spec: &Spec, writable: &Path, namespace: BorrowedFd<'_>) -> Step<()> {
    // All of these before anything covers them.
    let mut shown = vec![(real(writable)?, mounts::clone(writable, false)?)];
    map_identities(&shown[0].1, namespace, 0, writable)?;
    for bind in &spec.binds {
        let target = std::fs::canonicalize(&bind.target).unwrap_or_else(|_| bind.target.clone());
        shown.push((target, bound(bind, namespace)?));
    }
    let resolver = resolver::configuration(spec.network);
    let resolver_file = std::fs::canonicalize(Path::new("/").join(RESOLVER)).ok();

    let host = mounts::clone(Path::new("/"), true)?;
    attributes(&host, MOUNT_RDONLY | MOUNT_NODEV | MOUNT_NOSUID, true).during("the host, read-only")?;
    attach_at(&host, writable)?;
    for place in PLACES {
        // The command mounts its own there, and could take them away again: nothing of the host may be below.
        let path = writable.join(place);
        while rustix::mount::unmount(&path, UnmountFlags::DETACH).is_ok() {}
    }
    let top = open(writable)?;
    for place in EMPTY {
        // A link (/home to /srv/home) is followed, as if the host's root were everything. What is not there needs no hiding.
        if let Ok(found) = open_in(top.as_fd(), Path::new(place)) {
            cover(spec, found.as_fd(), "1777").during(format!("hiding /{place}"))?;
        }
    }
    if let (Some(configuration), Some(file)) = (resolver, resolver_file) {
        show_resolver(spec, top.as_fd(), &file, &configuration)?;
    }
    for (place, tree) in &shown {
        let found = reach(spec, top.as_fd(), place)?;
        attach_on(tree, found.as_fd()).during(place.display())?;
    }
    Ok(())
}

fn real(path: &Path) -> Step<std::path::PathBuf> {
    std::fs::canonicalize(path).during(path.display())
}

/// An empty file system in memory, on a directory.
fn cover(spec: &Spec, place: BorrowedFd<'_>, mode: &str) -> std::io::Result<()> {
    let owner = spec.first_identity().to_string();
    let context = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (name, value) in [("mode", mode), ("uid", &owner), ("gid", &owner)] {
        rustix::mount::fsconfig_set_string(context.as_fd(), name, value)?;
    }
    if let Some(bytes) = spec.limits.memory_bytes {
        rustix::mount::fsconfig_set_string(context.as_fd(), "size", bytes.to_string())?;
    }
    rustix::mount::fsconfig_create(context.as_fd())?;
    let flags = MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOSUID;
    let empty = rustix::mount::fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, flags)?;
    attach_on(&empty, place)
}

/// A directory inside, by its path on the host without links. Directories that only their owner may pass are covered by empty
/// ones, which hides nothing that could be read; what is not there, because something above it is hidden, is made.
fn reach(spec: &Spec, top: BorrowedFd<'_>, path: &Path) -> Step<OwnedFd> {
    let mut at = open_in(top, Path::new(""))?;
    for part in relative(path).components() {
        let Component::Normal(name) = part else { continue };
        let name = Path::new(name);
        let what = || format!("{} for {}", name.display(), path.display());
        match rustix::fs::mkdirat(&at, name, Mode::from_raw_mode(0o755)) {
            // The host is read-only: then it is there, or the next step says that it is not.
            Ok(()) | Err(Errno::EXIST | Errno::ROFS) => {}
            Err(error) => return Err(format!("making {}: {error}", what())),
        }
        let next = open_in(at.as_fd(), name)?;
        let status = rustix::fs::statx(&next, "", AtFlags::EMPTY_PATH, StatxFlags::MODE).during(what())?;
        let may_all_pass = status.stx_mode & 0o001 != 0;
        at = if may_all_pass {
            next
        } else {
            cover(spec, next.as_fd(), "755").during(what())?;
            open_in(at.as_fd(), name)?
        };
    }
    Ok(at)
}

/// Name servers: where the file is hidden, or names a server that is out of reach.
fn show_resolver(spec: &Spec, top: BorrowedFd<'_>, file: &Path, configuration: &[u8]) -> Step<()> {
    let read = OFlags::RDONLY | OFlags::CLOEXEC;
    let resolve = rustix::fs::ResolveFlags::IN_ROOT;
    let seen = rustix::fs::openat2(top, RESOLVER, read, Mode::empty(), resolve);
    let seen = seen.ok().and_then(|seen| {
        std::io::read_to_string(std::fs::File::from(seen))
            .ok()
            .map(String::into_bytes)
    });
    if seen.as_deref() == Some(configuration) {
        return Ok(());
    }
    let (Some(directory), Some(name)) = (file.parent(), file.file_name()) else {
        return Ok(());
    };
    let is_hidden = seen.is_none();
    // A file cannot be covered by one that is mounted nowhere: this is somewhere in any case.
    let directory = if is_hidden { directory } else { Path::new("/run") };
    let place = reach(spec, top, directory)?;
    let name = if is_hidden {
        Path::new(name)
    } else {
        Path::new(".resolv.conf")
    };
    let write = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let made = rustix::fs::openat(&place, name, write, Mode::from_raw_mode(0o644)).during(RESOLVER)?;
    rustix::fs::fchmod(&made, Mode::from_raw_mode(0o644)).during(RESOLVER)?;
    std::fs::File::from(made)
        .write_all(configuration)
        .during(RESOLVER)?;
    if is_hidden {
        return Ok(());
    }
    let flags =
        rustix::mount::OpenTreeFlags::OPEN_TREE_CLONE | rustix::mount::OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let shown = rustix::mount::open_tree(&place, name, flags).during(RESOLVER)?;
    let covered = OFlags::PATH | OFlags::CLOEXEC;
    let covered = rustix::fs::openat2(top, RESOLVER, covered, Mode::empty(), resolve).during(RESOLVER)?;
    attach_on(&shown, covered.as_fd()).during(RESOLVER)
}
