//! The frame that image files and metadata files share: one gob value, then the SHA-512 of its bytes.

use gob::{Gob, Limits};
use hash::Hash;

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The value is cut short, broken, or too large.
    #[error(transparent)]
    Gob(#[from] gob::Error),
    /// The bytes are not those that were written, or the checksum itself is cut short. Callers name the file.
    #[error("checksum mismatch")]
    ChecksumMismatch,
}

/// The value and its checksum as bytes.
pub(crate) fn encode<T: Gob>(value: &T) -> Vec<u8> {
    let mut bytes = gob::to_vec(value);
    let checksum = hash::of(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

/// The value and the checksum of its bytes.
///
/// Parsed from the front: what follows the checksum is stale, left over from a longer value. A file that ends right after
/// the value is from before there were checksums.
pub(crate) fn decode<T: Gob>(bytes: &[u8], limits: Limits) -> Result<(T, Hash), FileError> {
    let (value, consumed) = gob::from_slice(bytes, limits)?;
    let (encoded, rest) = bytes
        .split_at_checked(consumed)
        .ok_or(FileError::ChecksumMismatch)?;
    let checksum = hash::of(encoded);
    if !rest.is_empty() && rest.get(..Hash::LENGTH) != Some(checksum.as_bytes().as_slice()) {
        return Err(FileError::ChecksumMismatch);
    }
    Ok((value, checksum))
}
