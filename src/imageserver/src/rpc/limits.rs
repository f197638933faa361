//! What decoding a request may cost, by the size of what an honest caller sends. A request beyond it is answered with an
//! error line and nothing is kept.

use gob::Limits;

/// Encoded bytes of a request that holds names, times and numbers.
const SMALL_MESSAGE_BYTES: usize = 256 << 10;
/// Memory of such a request.
const SMALL_VALUE_BYTES: usize = 1 << 20;

/// Encoded bytes of a list of names, tags or hashes: a hash takes about 96, so some 300,000 of them.
const LIST_MESSAGE_BYTES: usize = 32 << 20;
/// Memory of such a list: 500,000 hashes.
const LIST_VALUE_BYTES: usize = 32 << 20;

/// Encoded bytes of a request with an image: an inode takes about 140, so some 1.8 million of them.
const IMAGE_MESSAGE_BYTES: usize = 256 << 20;
/// Memory of such an image.
const IMAGE_VALUE_BYTES: usize = 1 << 30;

/// For requests of names, times and numbers.
pub(crate) fn small() -> Limits {
    Limits {
        max_message_bytes: SMALL_MESSAGE_BYTES,
        max_value_bytes: SMALL_VALUE_BYTES,
        ..Limits::default()
    }
}

/// For requests with lists of names or hashes.
pub(crate) fn list() -> Limits {
    Limits {
        max_message_bytes: LIST_MESSAGE_BYTES,
        max_value_bytes: LIST_VALUE_BYTES,
        ..Limits::default()
    }
}

/// For requests that carry an image.
pub(crate) fn image() -> Limits {
    Limits {
        max_message_bytes: IMAGE_MESSAGE_BYTES,
        max_value_bytes: IMAGE_VALUE_BYTES,
        ..Limits::default()
    }
}
