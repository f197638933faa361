//! Putting a tree together from its inodes.

use hash::Hash;
use image::{DirectoryInode, FileSystem, Inode};

/// Fills in the hashes that arrived out of order; `inodes` are sorted by number.
pub(crate) fn put_hashes(inodes: &mut [(u64, Inode)], hashes: Vec<(u64, Hash)>) {
    for (number, hash) in hashes {
        if let Ok(at) = inodes.binary_search_by_key(&number, |(n, _)| *n)
            && let Inode::Regular(inode) = &mut inodes[at].1
        {
            inode.hash = hash;
        }
    }
}

/// The tree, with its counts.
pub(crate) fn file_system(directory_inode: DirectoryInode, inodes: Vec<(u64, Inode)>) -> FileSystem {
    let mut tree = FileSystem {
        inode_table: inodes.into(),
        directory_inode,
        ..FileSystem::default()
    };
    tree.recount();
    tree
}
