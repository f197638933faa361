//! What the original programs wrote: whole images, split over several messages by Go (gob.md §5.2).

#![allow(clippy::unwrap_used, reason = "tests, though not in functions marked so")]

mod models;

use gob::{Decoder, Gob, Limits, Progress};
use models::{AddImageRequest, GetImageResponse, Image, Inode};

const GET_IMAGE_RESPONSE: &[u8] = include_bytes!("data/get_image_response.gob");
const ADD_IMAGE_REQUEST: &[u8] = include_bytes!("data/add_image_request.gob");
const IMAGE_FILE: &[u8] = include_bytes!("data/image_file");
const CHECKSUM_BYTES: usize = 64;

fn decode<T: Gob>(input: &[u8]) -> (T, usize) {
    gob::from_slice(input, Limits::default()).unwrap()
}

fn check(image: &Image) {
    let file_system = image.file_system.as_ref().unwrap();
    assert!(image.filter.is_some());
    let inodes = &file_system.inode_table.0;
    assert!(inodes.is_sorted_by_key(|(number, _)| *number));
    let regular: Vec<_> = inodes
        .iter()
        .filter(|(_, inode)| matches!(inode, Inode::Regular(_)))
        .collect();
    assert_eq!(regular.len() as u64, file_system.num_regular_inodes);
    let bytes = inodes.iter().map(|(_, inode)| {
        if let Inode::Regular(inode) = inode {
            inode.size
        } else {
            0
        }
    });
    assert_eq!(bytes.sum::<u64>(), file_system.total_data_bytes);
    assert!(!file_system.directory_inode.entry_list.is_empty());
    assert!(!image.created_on.is_zero());
}

#[test]
fn get_image_response() {
    let (response, consumed) = decode::<GetImageResponse>(GET_IMAGE_RESPONSE);
    assert_eq!(consumed, GET_IMAGE_RESPONSE.len());
    check(response.image.as_ref().unwrap());
}

#[test]
fn add_image_request() {
    let (request, consumed) = decode::<AddImageRequest>(ADD_IMAGE_REQUEST);
    assert_eq!(consumed, ADD_IMAGE_REQUEST.len());
    assert_eq!(request.image_name, "small/added-gob");
    check(request.image.as_ref().unwrap());
}

#[test]
fn image_file_and_back() {
    let (image, consumed) = decode::<Image>(IMAGE_FILE);
    assert_eq!(consumed, IMAGE_FILE.len() - CHECKSUM_BYTES);
    check(&image);
    let ours = gob::to_vec(&image);
    assert_eq!(decode::<Image>(&ours), (image, ours.len()));
}

#[test]
fn skipped_to_the_last_byte() {
    for (recording, len) in [
        (GET_IMAGE_RESPONSE, GET_IMAGE_RESPONSE.len()),
        (ADD_IMAGE_REQUEST, ADD_IMAGE_REQUEST.len()),
        (IMAGE_FILE, IMAGE_FILE.len() - CHECKSUM_BYTES),
    ] {
        let skipped = Decoder::new(Limits::default()).skip_value(recording);
        assert_eq!(
            skipped,
            Ok(Progress::Value {
                value: (),
                consumed: len
            })
        );
    }
}

/// Every byte may be the last one to have arrived.
#[test]
fn however_it_arrives() {
    let (whole, consumed) = decode::<AddImageRequest>(ADD_IMAGE_REQUEST);
    let mut decoder = Decoder::new(Limits::default());
    let mut wanted = 0;
    for len in 0..consumed {
        match decoder
            .decode::<AddImageRequest>(&ADD_IMAGE_REQUEST[..len])
            .unwrap()
        {
            Progress::NeedMore { at_least } => {
                assert!(at_least > len && at_least <= consumed && at_least >= wanted);
                wanted = at_least;
            }
            Progress::Value { .. } => panic!("a value from {len} of {consumed} bytes"),
        }
    }
    let Progress::Value {
        value,
        consumed: ours,
    } = decoder.decode(ADD_IMAGE_REQUEST).unwrap()
    else {
        panic!("all bytes are there");
    };
    assert_eq!((value, ours), (whole, consumed));
}

/// Asking only when `at_least` says so takes few calls, and another value may follow at once.
#[test]
fn few_calls_and_raw_bytes_behind() {
    let mut stream = ADD_IMAGE_REQUEST.to_vec();
    stream.extend_from_slice(b"\nraw bytes");
    let mut decoder = Decoder::new(Limits::default());
    let (mut len, mut calls) = (0, 0);
    let consumed = loop {
        calls += 1;
        match decoder.decode::<AddImageRequest>(&stream[..len]).unwrap() {
            Progress::NeedMore { at_least } => len = at_least,
            Progress::Value { consumed, .. } => break consumed,
        }
    };
    assert_eq!(&stream[consumed..], b"\nraw bytes");
    assert!(calls < 100, "{calls} calls");
}
