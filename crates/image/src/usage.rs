//! How much room an image takes on a file system (imageserver.md §2.5).

use crate::{FileSystem, Inode};

/// What a directory is taken to need, and the unit files are rounded up to, in bytes.
const BLOCK_BYTES: u64 = 4096;

/// What a symbolic link is taken to need, in bytes.
const SYMLINK_BYTES: u64 = 64;

/// The estimate in bytes; as much as fits 64 bits. The root directory is not in the inode table and so not counted.
pub fn estimate(tree: &FileSystem) -> u64 {
    tree.inode_table
        .iter()
        .map(|(_, inode)| of_inode(inode))
        .fold(0, u64::saturating_add)
}

fn of_inode(inode: &Inode) -> u64 {
    match inode {
        Inode::Directory(_) => BLOCK_BYTES,
        Inode::Regular(inode) => inode.size.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES),
        Inode::Symlink(_) => SYMLINK_BYTES,
        Inode::ComputedRegular(_) | Inode::Special(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DirectoryInode, RegularInode, SpecialInode, SymlinkInode};

    #[test]
    fn each_kind_counts_as_specified_and_nothing_overflows() {
        let file = |size| {
            Inode::Regular(RegularInode {
                size,
                ..RegularInode::default()
            })
        };
        let mut tree = FileSystem {
            inode_table: [
                (1, file(0)),
                (2, file(1)),
                (3, file(4096)),
                (4, file(4097)),
                (5, Inode::Directory(DirectoryInode::default())),
                (6, Inode::Symlink(SymlinkInode::default())),
                (7, Inode::Special(SpecialInode::default())),
            ]
            .into_iter()
            .collect(),
            ..FileSystem::default()
        };
        assert_eq!(estimate(&tree), 4096 + 4096 + 8192 + 4096 + 64);
        tree.inode_table.insert(8, file(u64::MAX));
        tree.inode_table.insert(9, file(u64::MAX - 4096));
        assert_eq!(estimate(&tree), u64::MAX);
    }
}
