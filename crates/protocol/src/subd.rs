//! The messages of the `Subd` service that tools need (gob.md §13).

use bstr::BString;
use gob::{Duration, Time};
use image::{FileSystem, Inode, record};

record! {
    /// Of `Poll`.
    pub struct PollRequest {
        /// Generation of the tree the client has, 0 for none.
        pub have_generation: u64,
        /// Keep other clients out for so long.
        pub lock_for: Duration,
        /// Leave the tree out.
        pub short_poll_only: bool,
    }

    /// Of `Poll`, as far as tools need it; other fields are skipped.
    pub struct PollResponse {
        /// Name of the image the machine was made from.
        pub initial_image_name: String,
        /// Name of the image last applied.
        pub last_successful_image_name: String,
        /// When the daemon started.
        pub start_time: Time,
        /// Scans so far.
        pub scan_count: u64,
        /// Generation of the tree.
        pub generation_count: u64,
        /// Whether the tree follows in the two parts below.
        pub file_system_follows: bool,
    }

    /// First value of the tree: everything but the inodes.
    pub struct FileSystemHeader {
        /// The tree with an empty table.
        pub file_system: FileSystem,
        /// Number of [`EncodedInode`] values that follow.
        pub inode_table_length: u64,
    }

    /// One inode of the tree.
    pub struct EncodedInode {
        /// Number.
        pub inode_number: u64,
        /// The inode.
        pub generic_inode: Option<Inode>,
    }

    /// Of `GetFiles`, one per file; that many bytes follow.
    pub struct GetFileResponse {
        /// Empty for success.
        pub error: BString,
        /// Bytes.
        pub size: u64,
    }
}
