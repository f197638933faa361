//! The regular files of a tree, as they are in a directory.

use std::collections::HashSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use image::{FileSystem, Inode, RegularInode};
use rustix::fs::{AtFlags, FileType, Stat, statat};

use crate::beneath::Root;
use crate::error::Error;

/// A regular file that is at the path of one of the tree.
pub struct TreeFile<'a> {
    /// The directory it is in.
    pub directory: BorrowedFd<'a>,
    /// Its name in there.
    pub name: &'a BStr,
    /// How it is now.
    pub stat: Stat,
    /// What the tree says of it.
    pub inode: &'a RegularInode,
}

/// Calls `visit` for the regular files of `tree` that are not empty, each by its first name, as far as there is a regular file in
/// `target`. What is not there or is something else by now is passed over, and no link is followed.
///
/// # Errors
/// `target` cannot be opened; what `visit` returns.
pub fn files_in(
    tree: &FileSystem,
    target: &Path,
    visit: &mut dyn FnMut(TreeFile<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let shown = target.as_os_str().as_encoded_bytes();
    let root = Root::open(target).map_err(|e| Error::io("open", shown, e))?;
    let mut seen = HashSet::with_capacity(tree.inode_table.len());
    let mut pending = vec![(BString::from("/"), &tree.directory_inode)];
    while let Some((path, directory)) = pending.pop() {
        let Ok(fd) = root.directory(&path) else { continue };
        for entry in &directory.entry_list {
            match tree.inode_table.get(entry.inode_number) {
                // An inode is met once, so that no tree is walked for ever.
                Some(Inode::Directory(directory)) if seen.insert(entry.inode_number) => {
                    let separator: &[u8] = if path.ends_with(b"/") { b"" } else { b"/" };
                    let child = [path.as_slice(), separator, entry.name.as_slice()].concat();
                    pending.push((child.into(), directory));
                }
                Some(Inode::Regular(inode)) if inode.size > 0 && seen.insert(entry.inode_number) => {
                    let name = entry.name.as_bstr();
                    let Ok(stat) = statat(&fd, name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW) else {
                        continue;
                    };
                    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
                        let directory = fd.as_fd();
                        visit(TreeFile {
                            directory,
                            name,
                            stat,
                            inode,
                        })?;
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}
