//! Files written by the original daemon and client are read, and ours hold what they should.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use hash::Hash;
use image::{Annotation, DirectoryMetadata, Image};
use protocol::archive::{self, ArchiveError, SavedObject};
use protocol::image_file::{self, FileError};
use protocol::metadata_file;

const V1: &[u8] = include_bytes!("data/v1");
const V2: &[u8] = include_bytes!("data/v2");
const METADATA: &[u8] = include_bytes!("data/owned.metadata");
const ARCHIVE: &[u8] = include_bytes!("data/small-v1.archive");
const KEY: &[u8] = include_bytes!("data/throw-away-key");

fn value_len(bytes: &[u8]) -> usize {
    bytes.len() - Hash::LENGTH
}

#[test]
fn image_files_of_the_original_are_read_to_the_last_byte() {
    for bytes in [V1, V2] {
        let (image, checksum) = image_file::decode(bytes).unwrap();
        assert_eq!(checksum.as_bytes(), &bytes[value_len(bytes)..]);
        let tree = image.file_system.unwrap();
        let counts = tree.check().unwrap();
        assert_eq!(counts.unreferenced, 0);
        assert_eq!(counts.directories, tree.directory_count);
        assert_eq!(
            (counts.regular, counts.data_bytes),
            (tree.num_regular_inodes, tree.total_data_bytes)
        );
    }
}

#[test]
fn an_image_written_here_reads_back_the_same() {
    let (image, _) = image_file::decode(V1).unwrap();
    let bytes = image_file::encode(&image);
    let (again, checksum) = image_file::decode(&bytes).unwrap();
    assert_eq!(again, image);
    assert_eq!(checksum, hash::of(&bytes[..value_len(&bytes)]));
}

#[test]
fn a_file_from_before_there_were_checksums_is_accepted() {
    let old = &V1[..value_len(V1)];
    let (image, checksum) = image_file::decode(old).unwrap();
    assert_eq!((image, checksum), image_file::decode(V1).unwrap());
}

#[test]
fn every_truncation_is_noticed() {
    let end_of_value = value_len(V1);
    for len in (0..V1.len()).filter(|&len| len != end_of_value) {
        let error = image_file::decode(&V1[..len]).unwrap_err();
        assert_eq!(
            matches!(error, FileError::ChecksumMismatch),
            len > end_of_value,
            "{len}"
        );
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    let mut bytes = V1.to_vec();
    for at in 0..bytes.len() {
        bytes[at] ^= 0x10;
        assert!(image_file::decode(&bytes).is_err(), "{at}");
        bytes[at] ^= 0x10;
    }
}

#[test]
fn metadata_survives_stale_bytes_behind_its_checksum() {
    let expected = DirectoryMetadata {
        owner_group: "adm".into(),
    };
    assert_eq!(metadata_file::decode(METADATA), Ok(expected.clone()));
    let stale = [METADATA, &b"xx"[..]].concat();
    assert_eq!(metadata_file::decode(&stale), Ok(expected.clone()));
    assert_eq!(
        metadata_file::decode(&metadata_file::encode(&expected)),
        Ok(expected)
    );
    let cut = &METADATA[..METADATA.len() - 1];
    assert_eq!(metadata_file::decode(cut), Err(FileError::ChecksumMismatch));
}

#[test]
fn an_archive_of_the_original_is_read_and_its_signature_holds() {
    let archive = archive::decode(ARCHIVE).unwrap();
    assert_eq!(archive.content.image_name, "small/v1");
    archive
        .content
        .image
        .file_system
        .as_ref()
        .unwrap()
        .check()
        .unwrap();
    archive.verify(KEY).unwrap();
    let expected = hash::hmac(b"another key", &ARCHIVE[..value_len(ARCHIVE)]).unwrap();
    match archive.verify(b"another key") {
        Err(ArchiveError::Mismatch {
            expected: told,
            provided,
        }) => {
            assert_eq!(told, expected);
            assert_eq!(provided.len(), 128);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_archive_written_here_is_verified_over_exactly_its_value() {
    let content = archive::decode(ARCHIVE).unwrap().content;
    let bytes = archive::encode(&content, KEY).unwrap();
    let archive = archive::decode(&bytes).unwrap();
    archive.verify(KEY).unwrap();
    assert_eq!(archive.content, content);
    for changed in [
        &bytes[..bytes.len() - 1],
        &[bytes.as_slice(), b"x"].concat(),
        &bytes[..value_len(&bytes)],
    ] {
        assert!(matches!(
            archive::decode(changed).unwrap().verify(KEY),
            Err(ArchiveError::Mismatch { .. })
        ));
    }
}

#[test]
fn a_saved_archive_is_followed_by_objects_of_the_same_stream() {
    let head: &[u8] = include_bytes!("data/small-v1.saved-head");
    let mut decoder = gob::Decoder::new(protocol::limits::IMAGE);
    let gob::Progress::Value { value, consumed } = decoder.decode::<Vec<u8>>(head).unwrap() else {
        panic!()
    };
    assert_eq!(value, ARCHIVE);
    let rest = &head[consumed..];
    let gob::Progress::Value { value, consumed } = decoder.decode::<SavedObject>(rest).unwrap() else {
        panic!()
    };
    let length = usize::try_from(value.length).unwrap();
    assert_eq!(hash::of(&rest[consumed..consumed + length]), value.hash);
}

#[test]
fn archive_data_of_the_client_is_an_image_without_more() {
    let bytes: &[u8] = include_bytes!("data/small-v1.get-archive-data");
    let (image, consumed) = gob::from_slice::<Image>(bytes, protocol::limits::IMAGE).unwrap();
    assert_eq!(consumed, bytes.len());
    assert!(image.filter.is_none() && image.file_system.is_none());
    assert!(matches!(
        image.build_log,
        Some(Annotation { object: Some(_), .. })
    ));
}
