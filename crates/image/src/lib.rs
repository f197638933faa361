//! The pure domain: what an image is, and everything that can be said about one without reading or writing a byte
//! elsewhere.
//!
//! An [`Image`] is metadata and a tree of inodes ([`FileSystem`]) whose regular files are named by the SHA-512 of their
//! content. The types travel as they are: they carry their gob form and their JSON form. Around them are the rules:
//! filters, triggers, tags, computed files, names, verification, differences, listings.
//!
//! Promises: no I/O, no clock, no global state; every function over a tree is iterative and linear, so that a hostile
//! tree costs no stack; nothing panics on what a peer sent. Lacks on purpose: the contents of files, any notion of a
//! server, a store or a user's rights.

// The macros of `go_json` name this crate from outside and from inside alike.
extern crate self as image;

pub mod apply_filter;
pub mod computed_files;
pub mod copy_mtimes;
pub mod deletion;
pub mod diff;
pub mod filter;
pub mod go_json;
pub mod listing;
mod metadata;
pub mod name;
pub mod objects;
pub mod package_list;
pub mod packages;
pub mod required_paths;
pub mod select;
pub mod tags;
pub mod tree;
pub mod triggers;
pub mod usage;
pub mod verify;
pub mod walk;

pub use metadata::{
    Annotation, ComputedFile, Directory, DirectoryMetadata, Filter, Image, Package, Trigger, Triggers,
};
pub use tree::{
    ComputedRegularInode, DirectoryEntry, DirectoryInode, FileSystem, Inode, InodeRef, InodeTable,
    RegularInode, SpecialInode, SymlinkInode,
};
