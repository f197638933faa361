//! What one message of each sort may cost the receiver.

use gob::Limits;

/// For requests and replies without lists that grow with an image.
pub const SMALL: Limits = Limits {
    max_message_bytes: 1 << 20,
    max_value_bytes: 4 << 20,
    max_types: 256,
    max_depth: 32,
    max_continuations: 8,
};

/// For lists of hashes: those of an image with half a million files.
pub const HASHES: Limits = Limits {
    max_message_bytes: 64 << 20,
    max_value_bytes: 128 << 20,
    ..SMALL
};

/// For images with their trees.
pub const IMAGE: Limits = Limits {
    max_message_bytes: 256 << 20,
    max_value_bytes: 1 << 30,
    max_types: 4096,
    max_depth: 100,
    max_continuations: 64,
};
