//! What is known of the files of a directory without reading them.

use std::collections::HashMap;
use std::path::Path;

use bstr::{BString, ByteSlice};
use hash::Hash;
use image::{FileSystem, Inode};
use rustix::fs::{AtFlags, Stat, fstat, statat};

use crate::beneath::Root;
use crate::error::Error;

/// The regular files of a tree that was just unpacked: while inode number, size and time of change of one are the same, so is
/// its content, and a scan that is given this neither reads nor hashes nor offers it (`imaginator.md §11.5`).
///
/// The time of change is set by the kernel, whoever changes the file or its metadata. Its clock ticks, though: what is changed
/// within the tick of [`Known::of`] may look the same. Wait for a [`Tick`](crate::Tick) before others get at the tree.
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
    /// A file cannot be looked at, or is not the one it should be.
    pub fn of(tree: &FileSystem, target: &Path) -> Result<Known, Error> {
        let shown = target.as_os_str().as_encoded_bytes();
        let root = Root::open(target).map_err(|e| Error::io("open", shown, e))?;
        let device = fstat(&root).map_err(|e| Error::io("stat", "/", e))?.st_dev;
        let mut files = HashMap::with_capacity(tree.inode_table.len());
        let mut seen = std::collections::HashSet::with_capacity(tree.inode_table.len());
        let mut pending = vec![(BString::from("/"), &tree.directory_inode)];
        while let Some((path, directory)) = pending.pop() {
            let fd = root.directory(&path).map_err(|e| Error::io("open", &path, e))?;
            for entry in &directory.entry_list {
                let child = || join(&path, &entry.name);
                match tree.inode_table.get(entry.inode_number) {
                    Some(Inode::Directory(directory)) => pending.push((child(), directory)),
                    Some(Inode::Regular(regular)) if regular.size > 0 => {
                        if !seen.insert(entry.inode_number) {
                            continue;
                        }
                        let stat = statat(&fd, entry.name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW)
                            .map_err(|e| Error::io("stat", child(), e))?;
                        if u64::try_from(stat.st_size) != Ok(regular.size) {
                            return Err(Error::Changed(child()));
                        }
                        files.insert(stat.st_ino, Content::of(&stat, regular.hash));
                    }
                    _ => {}
                }
            }
        }
        Ok(Known { device, files })
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
    pub(crate) fn content(&self, stat: &Stat) -> Option<Hash> {
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

fn join(directory: &BString, name: &BString) -> BString {
    let separator: &[u8] = if directory.ends_with(b"/") { b"" } else { b"/" };
    [directory.as_slice(), separator, name.as_slice()].concat().into()
}
