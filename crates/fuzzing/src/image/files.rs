//! Bytes of files.

use image::{FileSystem, Image};
use protocol::{archive, image_file, metadata_file};

use super::{metadata, tree};

const SECRET: &[u8] = b"a secret";

/// An image's file: as it is, or with the checksum that belongs to its value.
pub(super) fn image_file(bytes: &[u8], with_checksum: bool) {
    let with_sum;
    let bytes = if with_checksum {
        with_sum = [bytes, hash::of(bytes).as_bytes()].concat();
        &with_sum
    } else {
        bytes
    };
    let Ok((image, _)) = image_file::decode(bytes) else {
        return;
    };
    let again = image_file::encode(&image);
    match image_file::decode(&again) {
        Ok((same, _)) => assert!(same == image, "another image comes back"),
        Err(error) => panic!("what was written cannot be read: {error}"),
    }
    everything(&image);
}

pub(super) fn metadata_file(bytes: &[u8]) {
    if let Ok(metadata) = metadata_file::decode(bytes) {
        let again = metadata_file::encode(&metadata);
        assert_eq!(metadata_file::decode(&again), Ok(metadata));
    }
}

pub(super) fn archive(bytes: &[u8]) {
    let Ok(archive) = archive::decode(bytes) else {
        return;
    };
    assert!(archive.verify(SECRET).is_err(), "who knew the secret?");
    let content = archive.content;
    let signed = archive::encode(&content, SECRET).unwrap_or_else(|error| panic!("{error}"));
    match archive::decode(&signed) {
        Ok(again) => {
            assert!(again.verify(SECRET).is_ok(), "the signature does not hold");
            assert!(again.content == content, "another image comes back");
        }
        Err(error) => panic!("what was written cannot be read: {error}"),
    }
    everything(&content.image);
}

/// A tree as gob, there and back.
pub(super) fn travels(tree: &FileSystem) {
    match gob::from_slice::<FileSystem>(&gob::to_vec(tree), protocol::limits::IMAGE) {
        Ok((same, _)) => assert!(same == *tree, "another tree comes back"),
        Err(error) => panic!("what was written cannot be read: {error}"),
    }
}

fn everything(image: &Image) {
    metadata::everything(image);
    if let Some(tree) = &image.file_system {
        tree::everything(tree);
    }
}
