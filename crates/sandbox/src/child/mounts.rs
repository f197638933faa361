//! What the command will see, mounted by the supervisor in mounts of its own: the tree at its own path, or the host at
//! the path of the writable directory (`host_view`).

use super::trusted_way::open_by_trusted_way;
use super::{During, Step, host_view};
use crate::Network;
use crate::made::{self, Made};
use crate::spec::{Bind, Spec, View};
use crate::syscalls::{
    self, MOUNT_IDMAP, MOUNT_NODEV, MOUNT_NOEXEC, MOUNT_NOSUID, MOUNT_RDONLY, MountAttributes,
};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Places in every tree that something is mounted on.
pub(super) const PLACES: [&str; 3] = ["dev", "proc", "sys"];

/// Mounts everything. What is made to mount on goes when what is returned is dropped.
pub(super) fn make(spec: &Spec, namespace: BorrowedFd<'_>) -> Step<Made> {
    let top = new_root(spec);
    // Before anything hides it: what is made through an id map by somebody outside of it has no owner.
    let mut made = Made::in_tree(top, open(top)?);
    match &spec.view {
        View::Tree { root } => {
            for place in PLACES {
                made.make(Path::new(place), true)?;
            }
            for bind in &spec.binds {
                made.make(relative(&bind.target), false)?;
            }
            let tree = clone(root, false)?;
            map_identities(&tree, namespace, MOUNT_NODEV, root)?;
            attach_at(&tree, root)?;
        }
        View::Host { writable } => host_view::mount(spec, writable, namespace)?,
    }
    let top = open(top)?;
    if spec.network == Network::Host {
        let sys = clone(Path::new("/sys"), false)?;
        attributes(
            &sys,
            MOUNT_RDONLY | MOUNT_NODEV | MOUNT_NOSUID | MOUNT_NOEXEC,
            false,
        )
        .during("/sys, read-only")?;
        attach_below(&sys, top.as_fd(), Path::new("sys"))?;
    }
    if let View::Tree { .. } = &spec.view {
        for bind in &spec.binds {
            attach_below(&bound(bind, namespace)?, top.as_fd(), relative(&bind.target))?;
        }
    }
    Ok(made)
}

/// The path that becomes `/`.
pub(super) fn new_root(spec: &Spec) -> &Path {
    match &spec.view {
        View::Tree { root } => root,
        View::Host { writable } => writable,
    }
}

/// A directory of the host that is to be seen inside, attached nowhere yet.
pub(super) fn bound(bind: &Bind, namespace: BorrowedFd<'_>) -> Step<OwnedFd> {
    let tree = if bind.writable || is_descriptor(&bind.source) {
        clone_without_links(&bind.source)?
    } else {
        clone_opened(&open_by_trusted_way(&bind.source)?, &bind.source)?
    };
    let flags = MOUNT_NODEV | MOUNT_NOSUID | if bind.writable { 0 } else { MOUNT_RDONLY };
    map_identities(&tree, namespace, flags, &bind.source)?;
    Ok(tree)
}

/// Files of 0 belong to 0 inside.
pub(super) fn map_identities(tree: &OwnedFd, namespace: BorrowedFd<'_>, flags: u64, path: &Path) -> Step<()> {
    let wanted = MountAttributes {
        set: flags | MOUNT_IDMAP,
        user_namespace: namespace.as_raw_fd() as u64,
        ..MountAttributes::default()
    };
    syscalls::set_mount_attributes(tree.as_fd(), false, &wanted).map_err(|error| {
        format!(
            "mapping the owners of {}: {error}; kernels before 5.12 and some file systems (NFS) cannot: use a directory on ext4, xfs or btrfs",
            path.display()
        )
    })
}

pub(super) fn attributes(tree: &OwnedFd, flags: u64, is_recursive: bool) -> std::io::Result<()> {
    let wanted = MountAttributes {
        set: flags,
        ..MountAttributes::default()
    };
    syscalls::set_mount_attributes(tree.as_fd(), is_recursive, &wanted)
}

/// A mount of its own of what is at a path, attached nowhere yet.
pub(super) fn clone(path: &Path, is_recursive: bool) -> Step<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if is_recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(CWD, path, flags).during(path.display())
}

/// Whether a path names a descriptor of the program that started us.
fn is_descriptor(path: &Path) -> bool {
    let parent = rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
    path.parent() == Some(Path::new(&format!("/proc/{parent}/fd")))
}

/// The same of a place that an earlier command may have had for writing, or the place above it: a link there is its work.
fn clone_without_links(path: &Path) -> Step<OwnedFd> {
    // Mounts are ours only, so a descriptor's is not the one to clone; its path now leads to ours.
    let (path, wanted) = if is_descriptor(path) {
        let stat = rustix::fs::stat(path).during(path.display())?;
        (std::fs::read_link(path).during(path.display())?, Some(stat))
    } else {
        (path.to_owned(), None)
    };
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let found = rustix::fs::openat2(CWD, &path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let found = match found {
        Err(Errno::LOOP) => {
            return Err(format!(
                "{}: leads through a symbolic link; give the path of what may be changed without",
                path.display()
            ));
        }
        found => found.during(path.display())?,
    };
    if let Some(wanted) = wanted {
        let stat = rustix::fs::fstat(&found).during(path.display())?;
        if (stat.st_dev, stat.st_ino) != (wanted.st_dev, wanted.st_ino) {
            return Err(format!("{}: is not any more what was opened", path.display()));
        }
    }
    clone_opened(&found, &path)
}

fn clone_opened(found: &OwnedFd, path: &Path) -> Step<OwnedFd> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    rustix::mount::open_tree(found, "", flags).during(path.display())
}

pub(super) fn attach_at(tree: &OwnedFd, path: &Path) -> Step<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(tree, "", CWD, path, flags).during(path.display())
}

fn attach_below(tree: &OwnedFd, top: BorrowedFd<'_>, path: &Path) -> Step<()> {
    let place = open_in(top, path)?;
    attach_on(tree, place.as_fd()).during(format!("mounting on /{}", path.display()))
}

/// On what is open.
pub(super) fn attach_on(tree: &OwnedFd, place: BorrowedFd<'_>) -> std::io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(rustix::mount::move_mount(tree, "", place, "", flags)?)
}

pub(super) fn open(path: &Path) -> Step<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).during(path.display())
}

/// A directory of a tree; links lead nowhere else than in the tree.
pub(super) fn open_in(tree: BorrowedFd<'_>, path: &Path) -> Step<OwnedFd> {
    made::open_in(tree, path).during(format!("/{} of the tree", path.display()))
}

pub(super) fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}
