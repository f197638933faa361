//! The file `.metadata` an imageserver keeps in directories of images that have an owner group (imageserver.md §6.3).

use image::DirectoryMetadata;

pub use crate::checksummed::FileError;
use crate::{checksummed, limits};

/// The bytes of a file.
pub fn encode(metadata: &DirectoryMetadata) -> Vec<u8> {
    checksummed::encode(metadata)
}

/// The metadata in a file. The originals rewrite it in place without shortening it, so stale bytes may follow.
///
/// # Errors
/// The file is cut short, broken, or its checksum does not fit.
pub fn decode(bytes: &[u8]) -> Result<DirectoryMetadata, FileError> {
    checksummed::decode(bytes, limits::SMALL).map(|(metadata, _)| metadata)
}
