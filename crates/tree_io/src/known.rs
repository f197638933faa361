//! What is known of the files of a directory without reading them.

use std::collections::HashMap;
use std::path::Path;

use hash::Hash;
use image::FileSystem;
use rustix::fs::Stat;

use crate::error::Error;
use crate::files::files_in;

/// `f_type` of the file systems of which it is known that no content changes without the time of change: ext4.
const TRUSTED_FILE_SYSTEMS: [i64; 1] = [0xEF53];

/// The regular files of a tree that was just unpacked: while inode number, size and time of change of one are the same, so is
/// its content, and a scan that is given this neither reads nor hashes nor offers it (`imaginator.md §11.5`).
///
/// The time of change is set by the kernel, whoever changes the file or its metadata. Its clock ticks, though: what is changed
/// within the tick of [`Known::of`] may look the same. Wait for a [`Tick`](crate::Tick) before others get at the tree.
///
/// On file systems of which that is not known, nothing is known of any file: on tmpfs, what is written through a mapping changes no time.
#[derive(Debug, Default)]
pub struct Known {
    device: u64,
    files: HashMap<u64, Content>,
}

#[derive(Debug, PartialEq, Eq)]
struct Content {
    changed: (i64, i64),
    size: u64,
    hash: Hash,
}

impl Known {
    /// Looks at the files of `tree` in `target`, into which it was unpacked and which nobody else has changed since.
    ///
    /// # Errors
    /// The directory cannot be opened.
    pub fn of(tree: &FileSystem, target: &Path) -> Result<Known, Error> {
        let mut known = Known::default();
        if !Known::is_possible(target) {
            return Ok(known);
        }
        known.files.reserve(tree.inode_table.len());
        files_in(tree, target, &mut |file| {
            known.device = file.stat.st_dev;
            // One that is not as the tree says is read, if it is still there then.
            if u64::try_from(file.stat.st_size) == Ok(file.inode.size) {
                let content = Content::of(&file.stat, file.inode.hash);
                known.files.insert(file.stat.st_ino, content);
            }
            Ok(())
        })?;
        Ok(known)
    }

    /// Whether the times of change of the file system of a directory tell of every change.
    pub fn is_possible(directory: &Path) -> bool {
        rustix::fs::statfs(directory).is_ok_and(|found| TRUSTED_FILE_SYSTEMS.contains(&found.f_type))
    }

    /// How many files are known.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The content of a file, if it has not changed.
    pub fn content(&self, stat: &Stat) -> Option<Hash> {
        let known = self
            .files
            .get(&stat.st_ino)
            .filter(|_| stat.st_dev == self.device)?;
        (*known == Content::of(stat, known.hash)).then_some(known.hash)
    }
}

impl Content {
    fn of(stat: &Stat, hash: Hash) -> Content {
        Content {
            changed: (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or(0)),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            hash,
        }
    }
}
