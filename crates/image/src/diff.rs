//! How two trees differ, path by path.

use std::collections::BTreeMap;

use bstr::BString;

use crate::walk::Walk;
use crate::{FileSystem, InodeRef};

/// One path that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference<'a> {
    /// The path.
    pub path: BString,
    /// What happened to it.
    pub change: Change<'a>,
}

/// What happened to a path from the left tree to the right one.
#[derive(Clone, Debug, PartialEq)]
pub enum Change<'a> {
    /// It is only in the right tree.
    Added(InodeRef<'a>),
    /// It is only in the left tree.
    Removed(InodeRef<'a>),
    /// It is in both and not the same.
    Changed {
        /// Before.
        left: InodeRef<'a>,
        /// After.
        right: InodeRef<'a>,
        /// In what.
        what: What,
    },
}

/// In what two inodes differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct What {
    /// Another kind of inode; then only mode and owner are compared beside.
    pub kind: bool,
    /// Permissions, or the type bits.
    pub mode: bool,
    /// User or group.
    pub owner: bool,
    /// Size of a file.
    pub size: bool,
    /// Bytes of a file, or the generator of a computed one.
    pub content: bool,
    /// Time of modification.
    pub mtime: bool,
    /// Target of a symbolic link.
    pub target: bool,
    /// Number of a device.
    pub rdev: bool,
}

impl What {
    /// Whether anything differs.
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// Compares two inodes. The entries of directories are not compared: they have paths of their own.
    pub fn of(left: InodeRef<'_>, right: InodeRef<'_>) -> Self {
        let mut what = Self {
            mode: left.mode() != right.mode(),
            owner: left.owner() != right.owner(),
            ..Self::default()
        };
        match (left, right) {
            (InodeRef::Regular(left), InodeRef::Regular(right)) => {
                what.size = left.size != right.size;
                what.content = left.hash != right.hash;
            }
            (InodeRef::ComputedRegular(left), InodeRef::ComputedRegular(right)) => {
                what.content = left.source != right.source;
            }
            (InodeRef::Symlink(left), InodeRef::Symlink(right)) => {
                what.target = left.symlink != right.symlink
            }
            (InodeRef::Special(left), InodeRef::Special(right)) => what.rdev = left.rdev != right.rdev,
            (InodeRef::Directory(_), InodeRef::Directory(_)) => {}
            _ => what.kind = true,
        }
        what.mtime = !what.kind && left.mtime() != right.mtime();
        what
    }
}

/// The bytes of a regular file; 0 for anything else.
pub fn size(inode: InodeRef<'_>) -> u64 {
    match inode {
        InodeRef::Regular(inode) => inode.size,
        _ => 0,
    }
}

/// How much came and went, in files and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Paths only on the right.
    pub added: u64,
    /// Paths only on the left.
    pub removed: u64,
    /// Paths that changed.
    pub changed: u64,
    /// Bytes of files added, and of the new content of files changed.
    pub bytes_right: u64,
    /// Bytes of files removed, and of the old content of files changed.
    pub bytes_left: u64,
}

impl Totals {
    /// Adds up differences.
    pub fn of(differences: &[Difference<'_>]) -> Self {
        let mut totals = Self::default();
        for difference in differences {
            let (left, right) = match difference.change {
                Change::Added(right) => {
                    totals.added += 1;
                    (0, size(right))
                }
                Change::Removed(left) => {
                    totals.removed += 1;
                    (size(left), 0)
                }
                Change::Changed { left, right, what } => {
                    totals.changed += 1;
                    if what.content || what.size || what.kind {
                        (size(left), size(right))
                    } else {
                        (0, 0)
                    }
                }
            };
            totals.bytes_left = totals.bytes_left.saturating_add(left);
            totals.bytes_right = totals.bytes_right.saturating_add(right);
        }
        totals
    }
}

/// The paths in which two trees differ, sorted bytewise.
pub fn diff<'a>(left: &'a FileSystem, right: &'a FileSystem) -> Vec<Difference<'a>> {
    let mut lefts: BTreeMap<BString, InodeRef<'a>> = Walk::new(left).collect();
    let mut differences = Vec::new();
    for (path, right) in Walk::new(right) {
        let change = match lefts.remove(&path) {
            None => Change::Added(right),
            Some(left) => {
                let what = What::of(left, right);
                if !what.any() {
                    continue;
                }
                Change::Changed { left, right, what }
            }
        };
        differences.push(Difference { path, change });
    }
    let removed = |(path, left)| Difference {
        path,
        change: Change::Removed(left),
    };
    differences.extend(lefts.into_iter().map(removed));
    differences.sort_by(|left, right| left.path.cmp(&right.path));
    differences
}
