//! Removing what a failed unpack made, and nothing else.

use std::path::Path;

use bstr::BString;
use rustix::fs::{AtFlags, unlinkat};

use super::STAGING;
use crate::beneath::Root;

pub(super) struct Rollback<'a> {
    target: &'a Path,
    target_is_ours: bool,
    staging_is_ours: bool,
    directories: Vec<BString>,
    entries: Vec<BString>,
}

impl<'a> Rollback<'a> {
    pub(super) fn new(target: &'a Path) -> Rollback<'a> {
        Rollback {
            target,
            target_is_ours: false,
            staging_is_ours: false,
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

    /// Whether single names matter: in a target of our own everything goes at once.
    pub(super) fn wants_names(&self) -> bool {
        !self.target_is_ours
    }

    pub(super) fn made_directory(&mut self, path: BString) {
        if self.wants_names() {
            self.directories.push(path);
        }
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
