//! Taking modification times over from an older image (imagetool.md §6.1), so that files that did not change do not look
//! as if they had.

use std::collections::HashMap;

use bstr::BString;

use crate::walk::Walk;
use crate::{FileSystem, Inode, InodeRef};

impl FileSystem {
    /// Gives regular files and special inodes the modification time of the inode at the same path in another tree if they
    /// are equal to it but for that. Of several names of an inode the last one decides. Returns how many inodes changed.
    pub fn copy_mtimes(&mut self, from: &FileSystem) -> usize {
        self.copy_mtimes_where(from, |_| true)
    }

    /// The same for the paths for which the predicate says so.
    pub fn copy_mtimes_where(&mut self, from: &FileSystem, mut wanted: impl FnMut(&[u8]) -> bool) -> usize {
        let mut theirs: HashMap<BString, InodeRef<'_>> = HashMap::with_capacity(from.inode_table.len());
        let mut walk = Walk::new(from);
        while let Some(visit) = walk.next_visit() {
            if visit.inode.mtime().is_some() {
                theirs.insert(visit.path.to_owned(), visit.inode);
            }
        }
        let mut times: HashMap<u64, (i64, i32)> = HashMap::new();
        let mut walk = Walk::new(self);
        while let Some(visit) = walk.next_visit() {
            let Some(number) = visit.number else { continue };
            let Some(mtime) = visit.inode.mtime() else {
                continue;
            };
            let Some(theirs) = theirs.get(visit.path) else {
                continue;
            };
            if let Some(time) = theirs.mtime()
                && time != mtime
                && equal_but_mtime(visit.inode, *theirs)
                && wanted(visit.path)
            {
                times.insert(number, time);
            }
        }
        for (&number, &(seconds, nanoseconds)) in &times {
            match self.inode_table.get_mut(number) {
                Some(Inode::Regular(inode)) => {
                    (inode.mtime_seconds, inode.mtime_nano_seconds) = (seconds, nanoseconds);
                }
                Some(Inode::Special(inode)) => {
                    (inode.mtime_seconds, inode.mtime_nano_seconds) = (seconds, nanoseconds);
                }
                _ => {}
            }
        }
        times.len()
    }
}

fn equal_but_mtime(left: InodeRef<'_>, right: InodeRef<'_>) -> bool {
    if left.mode() != right.mode() || left.owner() != right.owner() {
        return false;
    }
    match (left, right) {
        (InodeRef::Regular(left), InodeRef::Regular(right)) => {
            left.size == right.size && left.hash == right.hash
        }
        (InodeRef::Special(left), InodeRef::Special(right)) => left.rdev == right.rdev,
        _ => false,
    }
}
