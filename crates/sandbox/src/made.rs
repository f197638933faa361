//! Directories that were made in a tree to mount on: written down while they are there, so that they are removed even if the
//! supervisor is killed.

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// Where it is written down: gone after a restart of the machine, as the builds are.
const RECORDS: &str = "/run/imagewright-sandboxes";
/// Longest record that is read, bytes.
const RECORD_MOST_BYTES: u64 = 1 << 20;

/// What one supervisor made in one tree.
pub(crate) struct Made {
    root: PathBuf,
    /// The same, opened before something was mounted on it.
    tree: OwnedFd,
    directories: Vec<PathBuf>,
    record: PathBuf,
}

impl Made {
    /// `tree`: what is at `root`, opened before something is mounted on it.
    pub(crate) fn in_tree(root: &Path, tree: OwnedFd) -> Self {
        Self {
            root: root.to_owned(),
            tree,
            directories: Vec::new(),
            record: Path::new(RECORDS).join(std::process::id().to_string()),
        }
    }

    /// Makes a directory and those above it, as if the tree were everything. `is_kept`: it stays when all is over.
    pub(crate) fn make(&mut self, path: &Path, is_kept: bool) -> Result<(), String> {
        let mut above = PathBuf::new();
        for part in path.components() {
            let Component::Normal(name) = part else { continue };
            let failed =
                |error: Errno, path: &Path| format!("making {} in the tree: {error}", path.display());
            let parent = open_in(self.tree.as_fd(), &above).map_err(|error| failed(error, &above))?;
            above.push(name);
            if open_in(self.tree.as_fd(), &above).is_ok() {
                continue;
            }
            if !is_kept {
                self.directories.push(above.clone());
                // Before it is there. Without a place for the record, it is removed at an orderly end only.
                let _ = self.write_down();
            }
            match rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(failed(error, &above)),
            }
        }
        Ok(())
    }

    fn write_down(&self) -> std::io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(RECORDS)?;
        let paths = std::iter::once(&self.root).chain(&self.directories);
        let lines: Vec<&[u8]> = paths.map(|path| path.as_os_str().as_bytes()).collect();
        let whole = self.record.with_extension("new");
        std::fs::write(&whole, lines.join(&0))?;
        std::fs::rename(&whole, &self.record)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !self.directories.is_empty() {
            // A directory that something is mounted on cannot be removed; all of that is mounted below the tree's own mount.
            let _ = rustix::mount::unmount(&self.root, rustix::mount::UnmountFlags::DETACH);
            remove(self.tree.as_fd(), &self.directories);
            let _ = std::fs::remove_file(&self.record);
        }
    }
}

/// Removes directories that sandboxes made to mount on in trees and could not remove, because they were killed; those that something was put
/// into stay. For the start of a program that has run no sandbox yet; sandboxes of other programs are left alone.
pub fn remove_stale_directories() {
    let Ok(records) = std::fs::read_dir(RECORDS) else {
        return;
    };
    for record in records.flatten() {
        let path = record.path();
        if is_alive(&path) || record.metadata().is_ok_and(|data| data.len() > RECORD_MOST_BYTES) {
            continue;
        }
        let text = std::fs::read(&path).unwrap_or_default();
        let mut paths = text
            .split(|byte| *byte == 0)
            .map(|path| PathBuf::from(OsString::from_vec(path.to_owned())));
        if let Some(root) = paths.next().filter(|root| root.is_absolute()) {
            let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            if let Ok(tree) = rustix::fs::open(root, directory, Mode::empty()) {
                remove(tree.as_fd(), &paths.collect::<Vec<_>>());
            }
        }
        let _ = std::fs::remove_file(&path);
    }
}

/// Whether the supervisor that wrote a record is still there.
fn is_alive(record: &Path) -> bool {
    let Some(process) = record.file_stem() else {
        return false;
    };
    let line = std::fs::read(Path::new("/proc").join(process).join("cmdline"));
    line.is_ok_and(|line| line.starts_with(crate::child::NAME.as_bytes()))
}

/// The inner ones first. What was put into one stays, and so does the directory.
fn remove(tree: BorrowedFd<'_>, directories: &[PathBuf]) {
    for path in directories.iter().rev() {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            continue;
        };
        if let Ok(parent) = open_in(tree, parent) {
            let _ = rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR);
        }
    }
}

/// A directory of a tree; links lead nowhere else than in the tree.
pub(crate) fn open_in(tree: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat2(tree, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
}
