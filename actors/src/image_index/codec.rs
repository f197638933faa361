//! Files to values and back.

use super::IndexError;
use hash::Hash;
use image::{DirectoryMetadata, Image};
use protocol::{image_file, metadata_file};

/// Content of an image file (`imageserver.md §6.2`) and its checksum, which is its last bytes.
pub(super) fn encode_image(image: &Image) -> (Vec<u8>, Hash) {
    let content = image_file::encode(image);
    let checksum = content
        .last_chunk::<{ Hash::LENGTH }>()
        .map_or(Hash::ZERO, |bytes| Hash(*bytes));
    (content, checksum)
}

/// Image and checksum of an image file.
pub(super) fn decode_image(name: &str, content: &[u8]) -> Result<(Image, Hash), IndexError> {
    image_file::decode(content).map_err(|error| IndexError::Damaged {
        name: name.to_owned(),
        cause: error.to_string(),
    })
}

/// Content of a metadata file (`imageserver.md §6.3`).
pub(super) fn encode_metadata(owner_group: &str) -> Vec<u8> {
    metadata_file::encode(&DirectoryMetadata {
        owner_group: owner_group.to_owned(),
    })
}

/// Metadata from a file that may have stale bytes at its end.
pub(super) fn decode_metadata(content: &[u8]) -> Result<DirectoryMetadata, String> {
    metadata_file::decode(content).map_err(|error| error.to_string())
}
