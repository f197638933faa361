//! What the command will see, mounted by the supervisor in mounts of its own: the tree at its own path, or the host at
//! the path of the writable directory.

use super::{During, Step};
use crate::Network;
use crate::spec::{Bind, Spec, View};
use crate::syscalls::{
    self, MOUNT_IDMAP, MOUNT_NODEV, MOUNT_NOEXEC, MOUNT_NOSUID, MOUNT_RDONLY, MountAttributes,
};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// Where daemons of the host and people keep what a command has no business with.
const EMPTY_ON_HOST: [&str; 6] = ["home", "media", "root", "run", "tmp", "var/tmp"];
/// Places in every tree that something is mounted on.
const PLACES: [&str; 3] = ["dev", "proc", "sys"];

/// Directories that were made to mount on, and go when it is over.
#[derive(Default)]
pub(super) struct Mounts {
    made: Vec<(OwnedFd, PathBuf)>,
}

impl Mounts {
    /// Mounts everything.
    pub(super) fn make(&mut self, spec: &Spec, namespace: BorrowedFd<'_>) -> Step<()> {
        let top = new_root(spec);
        // Before anything hides it: what is made through an id map by somebody outside of it has no owner.
        let below = open(top)?;
        match &spec.view {
            View::Tree { root } => {
                for place in PLACES {
                    self.make_directory(below.as_fd(), Path::new(place))?;
                }
                for bind in &spec.binds {
                    self.make_directory(below.as_fd(), relative(&bind.target))?;
                }
                let tree = clone(root, false)?;
                map_identities(&tree, namespace, MOUNT_NODEV, root)?;
                attach_at(&tree, root)?;
            }
            View::Host { writable } => host(spec, writable, namespace)?,
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
        for bind in &spec.binds {
            attach(bind, top.as_fd(), namespace)?;
        }
        Ok(())
    }

    /// Makes a directory in a tree, and those above it, as if the tree were everything.
    fn make_directory(&mut self, tree: BorrowedFd<'_>, path: &Path) -> Step<()> {
        let mut above = PathBuf::new();
        for part in path.components() {
            let Component::Normal(name) = part else { continue };
            let parent = open_in(tree, &above)?;
            above.push(name);
            match rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755)) {
                Ok(()) => self.made.push((parent, PathBuf::from(name))),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(format!("making {} in the tree: {error}", above.display())),
            }
        }
        Ok(())
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        // The inner ones first. What the command put into one stays, and so does the directory.
        for (parent, name) in self.made.drain(..).rev() {
            if !PLACES.iter().any(|place| Path::new(place) == name) {
                let _ = rustix::fs::unlinkat(&parent, &name, AtFlags::REMOVEDIR);
            }
        }
    }
}

/// The path that becomes `/`.
pub(super) fn new_root(spec: &Spec) -> &Path {
    match &spec.view {
        View::Tree { root } => root,
        View::Host { writable } => writable,
    }
}

/// The whole host, read-only, on top of the directory that may be written, and in it that directory.
fn host(spec: &Spec, writable: &Path, namespace: BorrowedFd<'_>) -> Step<()> {
    let tree = clone(writable, false)?;
    map_identities(&tree, namespace, 0, writable)?;
    let host = clone(Path::new("/"), true)?;
    attributes(&host, MOUNT_RDONLY | MOUNT_NODEV | MOUNT_NOSUID, true).during("the host, read-only")?;
    attach_at(&host, writable)?;
    for place in PLACES {
        // The command mounts its own there, and could take them away again: nothing of the host may be below.
        let path = writable.join(place);
        while rustix::mount::unmount(&path, UnmountFlags::DETACH).is_ok() {}
    }
    let owner = spec.first_identity();
    for place in EMPTY_ON_HOST {
        let path = writable.join(place);
        if path.is_dir() {
            let options = format!("mode=1777,uid={owner},gid={owner}");
            let options = syscalls::c_path(Path::new(&options)).during(place)?;
            let flags = MountFlags::NODEV | MountFlags::NOSUID;
            rustix::mount::mount("tmpfs", &path, "tmpfs", flags, Some(options.as_c_str()))
                .during(format!("hiding /{place}"))?;
        }
    }
    let inside = writable.join(relative(writable));
    std::fs::create_dir_all(&inside).during(format!("the place of {}", writable.display()))?;
    attach_at(&tree, &inside)
}

fn attach(bind: &Bind, top: BorrowedFd<'_>, namespace: BorrowedFd<'_>) -> Step<()> {
    let tree = clone(&bind.source, false)?;
    let flags = MOUNT_NODEV | MOUNT_NOSUID | if bind.writable { 0 } else { MOUNT_RDONLY };
    map_identities(&tree, namespace, flags, &bind.source)?;
    attach_below(&tree, top, relative(&bind.target))
}

/// Files of 0 belong to 0 inside.
fn map_identities(tree: &OwnedFd, namespace: BorrowedFd<'_>, flags: u64, path: &Path) -> Step<()> {
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

fn attributes(tree: &OwnedFd, flags: u64, is_recursive: bool) -> std::io::Result<()> {
    let wanted = MountAttributes {
        set: flags,
        ..MountAttributes::default()
    };
    syscalls::set_mount_attributes(tree.as_fd(), is_recursive, &wanted)
}

/// A mount of its own of what is at a path, attached nowhere yet.
fn clone(path: &Path, is_recursive: bool) -> Step<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if is_recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(rustix::fs::CWD, path, flags).during(path.display())
}

fn attach_at(tree: &OwnedFd, path: &Path) -> Step<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(tree, "", rustix::fs::CWD, path, flags).during(path.display())
}

fn attach_below(tree: &OwnedFd, top: BorrowedFd<'_>, path: &Path) -> Step<()> {
    let place = open_in(top, path)?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(tree, "", &place, "", flags).during(format!("mounting on /{}", path.display()))
}

fn open(path: &Path) -> Step<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).during(path.display())
}

/// A directory of a tree; links lead nowhere else than in the tree.
fn open_in(tree: BorrowedFd<'_>, path: &Path) -> Step<OwnedFd> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat2(tree, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
        .during(format!("/{} of the tree", path.display()))
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}
