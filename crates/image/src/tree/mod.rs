//! The tree of an image: a table of inodes and a root directory that refers to them by number (gob.md §10).

mod check;
mod inode;
mod json;
mod table;

pub use check::{CheckError, Counts, MAXIMUM_DEPTH, MAXIMUM_PATH_BYTES};
pub use inode::{
    ComputedRegularInode, DirectoryEntry, DirectoryInode, Inode, InodeRef, RegularInode, SpecialInode,
    SymlinkInode, mode,
};
pub use table::InodeTable;

/// A tree.
///
/// All inodes but the root directory are in the table; entries of directories refer to them by number, hard links share
/// a number. What a peer sent may break every one of these rules until [`check`](Self::check) has passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, gob::Gob)]
pub struct FileSystem {
    /// The inodes by number.
    pub inode_table: InodeTable,
    /// Number of regular inodes, as counted by the producer.
    pub num_regular_inodes: u64,
    /// Sum of the sizes of regular inodes in bytes, as counted by the producer.
    pub total_data_bytes: u64,
    /// Number of directories, as counted by the producer.
    pub directory_count: u64,
    /// The root directory.
    pub directory_inode: DirectoryInode,
}

impl FileSystem {
    /// Sets the three counters from the inode table; the root counts as a directory.
    pub fn recount(&mut self) {
        let mut regular = 0;
        let mut bytes = 0_u64;
        let mut directories = 1;
        for (_, inode) in self.inode_table.iter() {
            match inode {
                Inode::Regular(inode) => {
                    regular += 1;
                    bytes = bytes.saturating_add(inode.size);
                }
                Inode::Directory(_) => directories += 1,
                _ => {}
            }
        }
        self.num_regular_inodes = regular;
        self.total_data_bytes = bytes;
        self.directory_count = directories;
    }
}
