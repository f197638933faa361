//! The file an imageserver keeps per image (imageserver.md §6.2).
//!
//! Type numbers and the order of inodes depend on the writer, so the checksum identifies a file, not an image.

use hash::Hash;
use image::Image;

pub use crate::checksummed::FileError;
use crate::{checksummed, limits};

/// The bytes of a file.
pub fn encode(image: &Image) -> Vec<u8> {
    checksummed::encode(image)
}

/// The image in a file, and the file's checksum. The tree is as it was written: see [`image::FileSystem::check`].
///
/// # Errors
/// The file is cut short, broken, or its checksum does not fit. A file of no bytes is a tombstone, which callers must tell
/// apart before they come here.
pub fn decode(bytes: &[u8]) -> Result<(Image, Hash), FileError> {
    checksummed::decode(bytes, limits::IMAGE)
}
