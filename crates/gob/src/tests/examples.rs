//! The byte examples of gob.md and srpc.md.

use crate::{Gob, Limits, from_slice, to_vec};

#[derive(Gob, Debug, PartialEq)]
struct CheckImageRequest {
    image_name: String,
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
