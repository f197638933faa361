//! A record and which one it is.

use repository::manifest::Record;
use std::fmt;

/// Which of the records an image had: the beginning of the hash of its stored text. Equal ones have equal texts, also after a
/// restart. Not the entity tag that clients see: that one leaves out what the public form does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision(u128);

impl Revision {
    /// Of a stored text.
    pub(crate) fn of(text: &[u8]) -> Self {
        let hash = hash::of(text);
        let mut first = [0; 16];
        first.copy_from_slice(&hash.as_bytes()[..16]);
        Self::of_bytes(first)
    }

    pub(crate) fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({:032x})", self.0)
    }
}

/// A record as it is on the disk.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// Goes with a change that is made of it.
    pub revision: Revision,
}
