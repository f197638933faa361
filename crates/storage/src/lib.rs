//! Where objects and images lie on disk: durable, crash-safe, byte-compatible with the original's directories.
//!
//! Promises:
//! * What a call reports as stored is on stable storage, its directory entry included. A crash at any instruction
//!   leaves either the whole object (image) or none of it.
//! * The layouts of `imageserver.md §6` are read and written as they are: the original runs on a directory we left.
//!   Our own files (lock, temporaries, index) have dot names in the roots, where the original does not look.
//! * Every path is resolved below a directory that was opened once, so renaming the root underneath is harmless, and
//!   no name reaches outside of it or through a symbolic link.
//! * A full disk or a failed flush is an error of the calls it hits; later calls work again.
//!
//! Lacks, on purpose: reference counts, caches, threads that outlive a call, any knowledge of what an image holds.
//! All calls block; who calls them owns the pools.
//!
//! | module | what |
//! | --- | --- |
//! | [`backend`] | the trait of an object store and its plain types |
//! | [`local_objects`] | OBJECT_DIR: staging, group commit, scan |
//! | [`file_store`] | the trait of a store of a repository's files |
//! | [`repository_dir`] | the directory of a repository of images with a REST API |
//! | [`image_dir`] | IMAGE_DIR: images, tombstones, directories, their metadata, the secret |
//! | [`frame`] | the frame of index files, which says whether they can be believed |
//! | [`block`] | memory that is written past the page cache |
//! | [`error`] | one error enum |

pub mod backend;
pub mod block;
pub mod error;
pub mod file_store;
pub mod frame;
pub mod image_dir;
mod index_file;
pub mod local_objects;
mod lock;
pub mod repository_dir;
mod resolve;
mod stamp;

pub use backend::{
    Committed, IndexUse, Named, ObjectBackend, OpenObject, ScanReport, Space, Staged, StagingFile,
};
pub use block::Block;
pub use error::StorageError;
pub use file_store::{FileStore, Incoming};
pub use image_dir::{ImageDir, ImageFile, Listing};
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use local_objects::fuzzing;
pub use local_objects::{LocalObjects, place_of as object_place};
pub use repository_dir::RepositoryDir;
pub use stamp::Stamp;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, StorageError>;
