//! Where the data of a run lie, and whom they belong to.

use anyhow::{Context, ensure};
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// A directory of its own; everything below goes when it is dropped, unless it is to be kept.
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
    owner: Option<(u32, u32)>,
    next: AtomicU32,
    used: Mutex<Vec<PathBuf>>,
    keep: bool,
}

/// The two directories of a server.
pub(crate) struct Home {
    pub(crate) images: PathBuf,
    pub(crate) objects: PathBuf,
    pub(crate) log: PathBuf,
}

impl Scratch {
    /// Below `parent`, which must exist; `user` is whom the servers run as if this process is root.
    pub(crate) fn new(parent: &Path, user: &str, keep: bool) -> anyhow::Result<Self> {
        let mut directory = tempfile::Builder::new()
            .prefix("imagewright-bench.")
            .tempdir_in(parent)
            .with_context(|| format!("cannot make scratch data in {} (see --dir)", parent.display()))?;
        directory.disable_cleanup(keep);
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
        let owner = if rustix::process::geteuid().is_root() {
            Some(user_and_group(user)?)
        } else {
            None
        };
        Ok(Self {
            directory,
            owner,
            next: AtomicU32::new(1),
            used: Mutex::default(),
            keep,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// User and group of the servers, if they are other than ours.
    pub(crate) fn owner(&self) -> Option<(u32, u32)> {
        self.owner
    }

    /// A path that was not used before.
    pub(crate) fn fresh(&self, name: &str) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.path().join(format!("{name}.{number:04}"));
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(path.clone());
        path
    }

    /// Removes what finished work left, unless all is to be kept. What is measured right after would be slower for it.
    pub(crate) fn remove_used(&self) -> anyhow::Result<()> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for path in used.drain(..).filter(|_| !self.keep) {
            let removed = match path.symlink_metadata() {
                Ok(found) if found.is_dir() => std::fs::remove_dir_all(&path),
                Ok(_) => std::fs::remove_file(&path),
                // Named, and then not made.
                Err(_) => Ok(()),
            };
            removed.with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    /// Empty directories for a server.
    pub(crate) fn fresh_home(&self, name: &str) -> anyhow::Result<Home> {
        let directory = self.fresh(name);
        let home = Home {
            images: directory.join("images"),
            objects: directory.join("objects"),
            log: directory.join("log"),
        };
        std::fs::create_dir_all(&home.images)?;
        std::fs::create_dir_all(&home.objects)?;
        self.hand_over(&directory)?;
        Ok(home)
    }

    /// Everything from `path` down belongs to the servers from now on.
    pub(crate) fn hand_over(&self, path: &Path) -> anyhow::Result<()> {
        let Some((user, group)) = self.owner else {
            return Ok(());
        };
        let mut waiting = vec![path.to_owned()];
        while let Some(path) = waiting.pop() {
            lchown(&path, Some(user), Some(group)).with_context(|| path.display().to_string())?;
            if path.symlink_metadata()?.is_dir() {
                for entry in std::fs::read_dir(&path)? {
                    waiting.push(entry?.path());
                }
            }
        }
        Ok(())
    }

    /// Refuses to begin what would fill the file system.
    pub(crate) fn ensure_room(&self, bytes: u64) -> anyhow::Result<()> {
        let stat = rustix::fs::statvfs(self.path())?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        ensure!(
            free >= bytes,
            "{} has {} MB to spare, this takes some {} MB: fewer --rounds, smaller --images, only some works, or another --dir",
            self.path().display(),
            free / 1_000_000,
            bytes / 1_000_000
        );
        Ok(())
    }
}

/// From `/etc/passwd`; a number need not be there and is taken for the group as well.
fn user_and_group(user: &str) -> anyhow::Result<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
    for line in accounts.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        if let [name, _, uid, gid, ..] = fields[..]
            && (name == user || uid == user)
        {
            return Ok((uid.parse()?, gid.parse()?));
        }
    }
    let number = user
        .parse()
        .ok()
        .with_context(|| format!("--user {user}: no such user"))?;
    ensure!(number != 0, "--user {user}: servers refuse to run as root");
    Ok((number, number))
}
