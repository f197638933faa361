//! Files to values and back.

use super::IndexError;
use gob::{Gob, Limits};
use hash::Hash;
use image::walk::Walk;
use image::{ComputedFile, DirectoryMetadata, FileSystem, Image, InodeRef};

const CHECKSUM_BYTES: usize = 64;

fn encode<T: Gob>(value: &T) -> (Vec<u8>, Hash) {
    let mut content = gob::to_vec(value);
    let checksum = hash::of(&content);
    content.extend_from_slice(checksum.as_bytes());
    (content, checksum)
}

fn decode<T: Gob>(content: &[u8], required: bool) -> Result<(T, Hash), String> {
    let (value, consumed) = gob::from_slice(content, Limits::default()).map_err(|error| error.to_string())?;
    let (body, trailer) = content.split_at(consumed);
    let checksum = hash::of(body);
    match trailer.get(..CHECKSUM_BYTES) {
        Some(stored) if stored == checksum.as_bytes() => Ok((value, checksum)),
        None if trailer.is_empty() && !required => Ok((value, checksum)),
        _ => Err("checksum mismatch".to_owned()),
    }
}

/// Content of an image file (`imageserver.md §6.2`) and its checksum.
pub(super) fn encode_image(image: &Image) -> (Vec<u8>, Hash) {
    encode(image)
}

/// Image and checksum of an image file.
pub(super) fn decode_image(name: &str, content: &[u8]) -> Result<(Image, Hash), IndexError> {
    decode(content, false).map_err(|cause| IndexError::Damaged {
        name: name.to_owned(),
        cause,
    })
}

/// Content of a metadata file (`imageserver.md §6.3`).
pub(super) fn encode_metadata(owner_group: &str) -> Vec<u8> {
    encode(&DirectoryMetadata {
        owner_group: owner_group.to_owned(),
    })
    .0
}

/// Metadata from a file that may have stale bytes at its end.
pub(super) fn decode_metadata(content: &[u8]) -> Result<DirectoryMetadata, String> {
    decode(content, true).map(|(metadata, _)| metadata)
}

/// Computed files in the order of the tree (`imageserver.md §2.5`).
pub(super) fn computed_files(tree: &FileSystem) -> Vec<ComputedFile> {
    let mut files = Vec::new();
    let mut walk = Walk::new(tree);
    while let Some(visit) = walk.next_visit() {
        if let InodeRef::ComputedRegular(inode) = visit.inode {
            files.push(ComputedFile {
                filename: visit.path.to_string(),
                source: inode.source.clone(),
            });
        }
    }
    files
}
