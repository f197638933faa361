//! The directory of the trees, and what an earlier process left in it.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::mount::{UnmountFlags, unmount};

use super::WorkshopError;
use crate::delete::delete_tree;
use crate::object_cache::{DirectoryLock, LockError};

/// First part of the names of our directories and control groups.
const OURS: &str = "imagewright-builds-";

/// Digits of the state directory's hash in them.
const DIGITS: usize = 12;

/// A directory that no other process uses, with nothing in it.
pub(super) struct Directory {
    pub(super) path: PathBuf,
    /// What the names of this workshop's control groups begin with.
    pub(super) group_prefix: String,
    pub(super) lock: DirectoryLock,
}

/// Makes the directory for the builds of the daemon with this state directory, takes it, and empties it.
pub(super) fn open(temporary: &Path, state_directory: &Path) -> Result<Directory, WorkshopError> {
    let temporary = absolute(temporary)?;
    let state_directory = absolute(state_directory)?;
    let name = hash::of(state_directory.as_os_str().as_encoded_bytes()).to_string();
    let name = format!("{OURS}{}", &name[..DIGITS]);
    let path = temporary.join(&name);
    let lock = take(&path)?;
    let group_prefix = format!("{name}-");
    // Nothing runs in them: commands end with the process that started them, and the lock says that it has ended.
    let hierarchies = sandbox::Hierarchies::of_this_machine();
    sandbox::remove_stale_groups(&hierarchies, &group_prefix);
    sandbox::remove_stale_directories();
    unmount_below(&path);
    empty(&path)?;
    sandbox::remove_stale_groups(&hierarchies, &group_prefix);
    Ok(Directory {
        path,
        group_prefix,
        lock,
    })
}

/// Takes a directory; says in plain words if it is taken.
pub(super) fn take(path: &Path) -> Result<DirectoryLock, WorkshopError> {
    DirectoryLock::take(path).map_err(WorkshopError::from)
}

impl From<LockError> for WorkshopError {
    fn from(error: LockError) -> WorkshopError {
        match error {
            LockError::Held { path, holder } => WorkshopError::InUse {
                directory: path,
                holder,
            },
            LockError::Io { path, source } => WorkshopError::Io {
                doing: "cannot use directory",
                path,
                source,
            },
        }
    }
}

/// Names in `/proc/self/mountinfo` are absolute and without links.
fn absolute(path: &Path) -> Result<PathBuf, WorkshopError> {
    let made = fs::create_dir_all(path).and_then(|()| fs::canonicalize(path));
    made.map_err(|source| WorkshopError::Io {
        doing: "cannot use directory",
        path: path.to_owned(),
        source,
    })
}

/// Sandboxes mount in mount namespaces of their own, which end with them. Older versions and people do not.
fn unmount_below(path: &Path) {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    // The last mounted first: it may be on top of another.
    for line in mounts.lines().rev() {
        let Some(point) = line.split(' ').nth(4) else {
            continue;
        };
        if Path::new(point).starts_with(path)
            && let Err(error) = unmount(point, UnmountFlags::DETACH)
        {
            tracing::warn!("cannot unmount {point}: {error}");
        }
    }
}

/// Deletes everything but the lock.
fn empty(path: &Path) -> Result<(), WorkshopError> {
    let failed = |source| WorkshopError::Io {
        doing: "cannot clean up",
        path: path.to_owned(),
        source,
    };
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name() != crate::object_cache::LOCK_NAME {
            tracing::info!("removing what an earlier run left: {}", entry.path().display());
            delete_tree(&entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}
