//! The directory of everything.

use super::service_user::ServiceUser;
use crate::exit::WrongUse;
use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// Held by the one that uses the directory; its number is in it.
const LOCK: &str = ".up.lock";

/// The directory, open and locked.
pub(super) struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    /// Makes what is not there, and takes it. The parts of image server and image repository are their user's.
    pub(super) fn open(path: &Path, user: Option<&ServiceUser>) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| path.display().to_string())?;
        let path = fs::canonicalize(path).with_context(|| path.display().to_string())?;
        let lock = take(&path)?;
        let home = Self { path, _lock: lock };
        // Their user must be able to pass.
        fs::set_permissions(&home.path, Permissions::from_mode(0o755))?;
        for (directory, mode) in [
            ("images", 0o755),
            ("objects", 0o750),
            ("log", 0o750),
            ("ssl", 0o700),
        ] {
            let directory = home.image_server().join(directory);
            make(&directory, mode)?;
            own(&directory, user)?;
        }
        own(&home.image_server(), user)?;
        for (directory, mode) in [("data", 0o750), ("log", 0o750), ("ssl", 0o700)] {
            let directory = home.image_repository().join(directory);
            make(&directory, mode)?;
            own(&directory, user)?;
        }
        own(&home.image_repository(), user)?;
        for directory in ["state", "builds", "log", "ssl"] {
            make(&home.image_builder().join(directory), 0o700)?;
        }
        Ok(home)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The authority: certificate and key.
    pub(super) fn authority(&self) -> PathBuf {
        self.path.join("authority")
    }

    /// A `-certDirectory` of somebody who may do everything.
    pub(super) fn administrator(&self) -> PathBuf {
        self.path.join("administrator")
    }

    pub(super) fn image_server(&self) -> PathBuf {
        self.path.join("imageserver")
    }

    pub(super) fn image_repository(&self) -> PathBuf {
        self.path.join("imgapi")
    }

    pub(super) fn image_builder(&self) -> PathBuf {
        self.path.join("imaginator")
    }
}

fn take(path: &Path) -> anyhow::Result<File> {
    let name = path.join(LOCK);
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&name)
        .with_context(|| name.display().to_string())?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let holder = std::io::read_to_string(&file).unwrap_or_default();
            return Err(WrongUse(format!(
                "{} is in use by process {}: stop that one first, or give another --dir",
                path.display(),
                holder.trim()
            ))
            .into());
        }
        Err(error) => return Err(std::io::Error::from(error)).with_context(|| name.display().to_string()),
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

fn make(directory: &Path, mode: u32) -> anyhow::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    fs::set_permissions(directory, Permissions::from_mode(mode))?;
    Ok(())
}

/// Hands a file or directory to the user of image server and image repository.
pub(super) fn own(path: &Path, user: Option<&ServiceUser>) -> anyhow::Result<()> {
    let Some(user) = user else { return Ok(()) };
    chown(path, Some(user.user), Some(user.group)).with_context(|| path.display().to_string())
}
