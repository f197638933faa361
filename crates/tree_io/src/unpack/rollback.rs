//! Removing what a failed unpack made, and nothing else.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::BString;
use rustix::fs::{AtFlags, unlinkat};

use super::STAGING;
use crate::beneath::Root;

pub(super) struct Rollback<'a> {
    target: &'a Path,
    target_is_ours: bool,
    staging_is_ours: bool,
    everything_is_new: bool,
    directories: Vec<BString>,
    entries: Vec<BString>,
}

impl<'a> Rollback<'a> {
    pub(super) fn new(target: &'a Path) -> Rollback<'a> {
        Rollback {
            target,
            target_is_ours: false,
            staging_is_ours: false,
            everything_is_new: false,
            directories: Vec::new(),
            entries: Vec::new(),
        }
    }

    pub(super) fn made_target(&mut self) {
        self.target_is_ours = true;
    }

    pub(super) fn made_staging(&mut self) {
        self.staging_is_ours = true;
    }

    /// No name of the image was there before.
    pub(super) fn everything_is_new(&mut self) {
        self.everything_is_new = true;
    }

    pub(super) fn made_directory(&mut self, path: BString) {
        self.directories.push(path);
    }

    pub(super) fn made_entry(&mut self, path: BString) {
        self.entries.push(path);
    }

    /// What cannot be removed stays: there is an error to report already.
    pub(super) fn undo(self) {
        if self.target_is_ours {
            let _ = std::fs::remove_dir_all(self.target);
            return;
        }
        if self.staging_is_ours {
            let _ = std::fs::remove_dir_all(self.target.join(STAGING));
        }
        // What is in a directory of ours is ours.
        if self.everything_is_new {
            for path in self
                .directories
                .iter()
                .filter(|path| path.iter().skip(1).all(|&b| b != b'/'))
            {
                let name = std::ffi::OsStr::from_bytes(path.strip_prefix(b"/").unwrap_or(path));
                let _ = std::fs::remove_dir_all(self.target.join(name));
            }
        }
        let Ok(root) = Root::open(self.target) else {
            return;
        };
        for path in &self.entries {
            remove(&root, path, AtFlags::empty());
        }
        for path in self.directories.iter().rev() {
            remove(&root, path, AtFlags::REMOVEDIR);
        }
    }
}

fn remove(root: &Root, path: &BString, flags: AtFlags) {
    let slash = path.iter().rposition(|&b| b == b'/');
    let (parent, name) = slash.map_or((&b"/"[..], path.as_slice()), |at| (&path[..at], &path[at + 1..]));
    if let Ok(directory) = root.directory(parent) {
        let _ = unlinkat(directory, name, flags);
    }
}
