//! Requests and replies of the services, as gob and JSON types, and the forms of images at rest.
//!
//! Field names, order and meaning follow gob.md §9 and §11 to §14; a peer may leave any field out and send fields
//! unknown here. Beside the messages: the [image file](image_file), the [metadata file](metadata_file) of a directory,
//! and the [archive](archive) of an image.
//!
//! Promises: decoding never panics and is bounded by [`gob::Limits`]. Lacks on purpose: any I/O, and the order of
//! messages in a call, which belongs to clients and servers.

// The macro that declares messages names this crate's neighbours by their full paths.
pub mod archive;
mod checksummed;
pub mod file_generator;
pub mod fleet;
pub mod hypervisor;
pub mod image_file;
pub mod image_server;
pub mod imaginator;
pub mod limits;
pub mod logger;
pub mod mdb;
pub mod metadata_file;
pub mod object_server;
pub mod subd;

pub use image::go_json;
