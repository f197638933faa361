//! The byte examples of gob.md and srpc.md, all taken from Go.

use super::{decode, message};
use crate::{Decoder, Encoder, Gob, Limits, Progress, from_slice, to_vec};

#[derive(Gob, Debug, PartialEq)]
struct CheckImageRequest {
    image_name: String,
}

#[derive(Gob, Debug, PartialEq)]
struct Directory {
    name: String,
    metadata: DirectoryMetadata,
}

#[derive(Gob, Debug, PartialEq)]
struct DirectoryMetadata {
    owner_group: String,
}

#[test]
fn check_image_request() {
    let bytes =
        b"\x2c\x7f\x03\x01\x01\x11CheckImageRequest\x01\xff\x80\0\x01\x01\x01\x09ImageName\x01\x0c\0\0\0\
                  \x08\xff\x80\x01\x03a/b\0";
    let request = CheckImageRequest {
        image_name: "a/b".into(),
    };
    assert_eq!(to_vec(&request), bytes);
    assert_eq!(from_slice(bytes, Limits::default()), Ok((request, bytes.len())));
}

#[test]
fn list_directories() {
    let bytes: &[u8] =
        b"\x2d\x7f\x03\x01\x01\x09Directory\x01\xff\x80\0\x01\x02\x01\x04Name\x01\x0c\0\x01\x08Metadata\x01\xff\x82\0\0\0\
          \x2e\xff\x81\x03\x01\x01\x11DirectoryMetadata\x01\xff\x82\0\x01\x01\x01\x0aOwnerGroup\x01\x0c\0\0\0\
          \x08\xff\x80\x01\x01.\x01\0\0\
          \x05\xff\x80\x02\0\0";
    let directory = |name: &str| Directory {
        name: name.into(),
        metadata: DirectoryMetadata {
            owner_group: String::new(),
        },
    };
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    encoder.encode(&directory("."), &mut out);
    encoder.encode(&directory(""), &mut out);
    assert_eq!(out, bytes);

    let mut decoder = Decoder::new(Limits::default());
    let consumed = bytes.len() - 6;
    let first = decoder.decode(bytes);
    assert_eq!(
        first,
        Ok(Progress::Value {
            value: directory("."),
            consumed
        })
    );
    let second = decoder.decode(&bytes[consumed..]);
    assert_eq!(
        second,
        Ok(Progress::Value {
            value: directory(""),
            consumed: 6
        })
    );
}

#[test]
fn top_level_bytes() {
    let bytes = b"\x06\x0a\0\x03abc";
    assert_eq!(to_vec(&b"abc".to_vec()), bytes);
    assert_eq!(decode::<Vec<u8>>(bytes), Ok(b"abc".to_vec()));
}

/// Types with names of their own, as the specification shows them, ids aside.
#[test]
fn hash_definition() {
    #[derive(Gob)]
    #[gob(transparent, name = "Hash")]
    struct Hash([u8; 64]);

    let bytes = to_vec(&Hash([0x80; 64]));
    let definition = b"\x14\x7f\x01\x01\x01\x04Hash\x01\xff\x80\0\x01\x06\x01\xff\x80\0\0";
    let value = message(&[b"\xff\x80\0\x40", &[0xff, 0x80].repeat(64)]);
    assert_eq!(bytes, [definition.as_slice(), &value].concat());
}
