//! Small numbers that say what something is not.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A number for a text: equal texts have equal ones. Keys of `DefaultHasher` are fixed; a collision costs a look at the
/// entry, nothing else, so nobody gains by making some.
pub(crate) fn of_text(text: &str) -> u32 {
    (hash(text) >> 32) as u32
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A set as 64 bits, some of which each member sets: what lacks one of a member's bits lacks the member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mask(u64);

impl Mask {
    /// Adds a member: two bits.
    pub(crate) fn add(&mut self, member: impl Hash) {
        let hash = hash(member);
        self.0 |= 1 << (hash & 63) | 1 << (hash >> 6 & 63);
    }

    /// Adds the pairs of neighbours in a text: what is part of a text has no pair that the text lacks.
    pub(crate) fn add_pairs(&mut self, text: &str) {
        for pair in text.as_bytes().windows(2) {
            let number = u64::from(pair[0]) << 8 | u64::from(pair[1]);
            // The top bits of a product with an odd constant are well mixed.
            self.0 |= 1 << (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58);
        }
    }

    /// Whether it may have all members of another.
    pub(crate) fn may_have(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
