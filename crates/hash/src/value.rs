//! The 64-byte name itself.

/// The SHA-512 of an object's bytes, which is the object's name (gob.md §7).
///
/// In gob it is the array type `Hash`, 64 unsigned integers; in text and JSON 128 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "gob", derive(gob::Gob))]
#[cfg_attr(feature = "gob", gob(transparent, name = "Hash"))]
pub struct Hash(pub [u8; 64]);

impl Hash {
    /// Length of a name in bytes.
    pub const LENGTH: usize = 64;

    /// Sixty-four zero bytes: stands for "no object", as in the inode of an empty file.
    pub const ZERO: Self = Self([0; Self::LENGTH]);

    /// Whether this stands for "no object".
    pub fn is_zero(&self) -> bool {
        self.0 == [0; Self::LENGTH]
    }

    /// The 64 bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self::ZERO
    }
}

impl From<[u8; Hash::LENGTH]> for Hash {
    fn from(bytes: [u8; Hash::LENGTH]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
