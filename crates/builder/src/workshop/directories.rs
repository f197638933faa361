//! The directory of the trees, and what an earlier process left in it.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::mount::{UnmountFlags, unmount};

use super::WorkshopError;
use crate::delete::delete_tree;
use crate::object_cache::{DirectoryLock, LockError};

/// First part of the names of our directories and control groups.
const OURS: &str = "imagewright-builds-";

/// Directory in the state directory that is locked.
const STATE_LOCK: &str = ".builds";

/// Digits of the state directory's hash in them.
const DIGITS: usize = 12;

/// A directory that no other process uses, with nothing in it.
pub(super) struct Directory {
    pub(super) path: PathBuf,
    /// What the names of this workshop's control groups begin with.
    pub(super) group_prefix: String,
    /// Of the trees, and of the state directory: whoever has one of them has both.
    pub(super) locks: [DirectoryLock; 2],
}

/// Makes the directory for the builds of the daemon with this state directory, takes it, and empties it.
pub(super) fn open(temporary: &Path, state_directory: &Path) -> Result<Directory, WorkshopError> {
    let temporary = absolute(temporary)?;
    let state_directory = absolute(state_directory)?;
    let name = hash::of(state_directory.as_os_str().as_encoded_bytes()).to_string();
    let name = format!("{OURS}{}", &name[..DIGITS]);
    let path = temporary.join(&name);
    // Names of control groups and identities go by the state directory: with another place for trees there must be no second process.
    let locks = [take(&state_directory.join(STATE_LOCK))?, take(&path)?];
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
        locks,
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

/// What the names of things that could not be deleted begin with.
const SET_ASIDE: &str = ".set-aside-";

/// Deletes everything but the lock. What cannot be deleted is set aside: the next start tries again, and builds go on beside it.
fn empty(path: &Path) -> Result<(), WorkshopError> {
    let failed = |source| WorkshopError::Io {
        doing: "cannot clean up",
        path: path.to_owned(),
        source,
    };
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if name == crate::object_cache::LOCK_NAME {
            continue;
        }
        tracing::info!("removing what an earlier run left: {}", entry.path().display());
        let Err(error) = delete_tree(&entry.path()) else {
            continue;
        };
        tracing::warn!(
            "cannot remove what an earlier run left, remove it by hand: {}: {error}",
            entry.path().display()
        );
        if !name.as_encoded_bytes().starts_with(SET_ASIDE.as_bytes()) {
            let aside = tempfile::Builder::new()
                .prefix(SET_ASIDE)
                .tempdir_in(path)
                .map_err(failed)?
                .keep();
            fs::rename(entry.path(), aside.join("left")).map_err(failed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

    use super::*;

    #[test]
    fn what_cannot_be_deleted_is_set_aside_and_the_start_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let kept = directory.path().join(".kept");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "x").unwrap();
        let file = fs::File::open(kept.join("file")).unwrap();
        let flags = ioctl_getflags(&file).unwrap_or(IFlags::empty());
        if ioctl_setflags(&file, flags | IFlags::IMMUTABLE).is_err() {
            eprintln!("skipped: takes root and a file system with immutable files");
            return;
        }
        let twice = [empty(directory.path()), empty(directory.path())];
        let is_free = !kept.exists();
        let left = fs::read_dir(directory.path()).unwrap().count();
        ioctl_setflags(&file, flags).unwrap();
        assert!(twice.iter().all(Result::is_ok), "{twice:?}");
        assert!(is_free);
        assert_eq!(left, 1);
        empty(directory.path()).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
