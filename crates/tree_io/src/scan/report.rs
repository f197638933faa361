//! What a scan left out.

use bstr::BString;

use crate::attributes::Attributes;

/// Paths kept per kind; beyond that they are only counted.
const NAMED_PATHS: usize = 20;

/// What is in the directory and not in the tree, so that a tool can say so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Sockets.
    pub sockets: Skipped,
    /// Entries on another device (mount points).
    pub other_devices: Skipped,
    /// Directories met a second time (bind mounts of the same file system).
    pub repeated_directories: Skipped,
    /// Attributes that files of the tree have and the image cannot carry.
    pub attributes: Attributes,
}

/// Entries left out for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub paths: Vec<BString>,
}

impl Skipped {
    pub(crate) fn add(&mut self, path: BString) {
        self.count += 1;
        if self.paths.len() < NAMED_PATHS {
            self.paths.push(path);
        }
    }
}
