//! Names of images and accounts.

use openssl::sha::Sha1;
use std::fmt;

/// A UUID. Its one text form is lower-case hex, 8-4-4-4-12; any other is no UUID (imgapi.md §3).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(u128);

/// Where the dashes are.
const DASHES: [usize; 4] = [8, 13, 18, 23];

impl Uuid {
    /// The owner of images that have none: all zero.
    pub const NIL: Self = Self(0);

    /// The last one in order.
    pub const LAST: Self = Self(u128::MAX);

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != 36 {
            return None;
        }
        let mut number = 0_u128;
        for (at, &byte) in text.iter().enumerate() {
            if DASHES.contains(&at) {
                if byte != b'-' {
                    return None;
                }
                continue;
            }
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            number = number << 4 | u128::from(digit);
        }
        Some(Self(number))
    }

    /// A random one (version 4) of 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self::with_version(u128::from_be_bytes(bytes), 4)
    }

    /// The one that belongs to a name (version 5): always the same, so that an image published again keeps it.
    pub fn of_name(namespace: Self, name: &[u8]) -> Self {
        let mut hasher = Sha1::new();
        hasher.update(&namespace.0.to_be_bytes());
        hasher.update(name);
        let hash = hasher.finish();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Self::with_version(u128::from_be_bytes(bytes), 5)
    }

    fn with_version(number: u128, version: u128) -> Self {
        let number = number & !(0xf << 76) | version << 76;
        Self(number & !(0x3 << 62) | 0x2 << 62)
    }

    pub(crate) fn of_number(number: u128) -> Self {
        Self(number)
    }

    /// As a number: for tables.
    pub fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            number >> 96,
            number >> 80 & 0xffff,
            number >> 64 & 0xffff,
            number >> 48 & 0xffff,
            number & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_lower_case_form_is_one() {
        assert!(Uuid::parse("c58161c0-2547-11e2-a75e-9fdca1940570").is_some());
        for text in [
            "",
            "C58161c0-2547-11e2-a75e-9fdca1940570",
            "c58161c0254711e2a75e9fdca1940570",
            "c58161c0-2547-11e2-a75e-9fdca194057",
            "c58161c0-2547-11e2-a75e_9fdca1940570",
            "c58161c0-2547-11e2-a75e-9fdca194057é",
        ] {
            assert_eq!(Uuid::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_uuid_of_a_name_is_that_of_rfc_4122() {
        let dns = Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8").unwrap();
        let uuid = Uuid::of_name(dns, b"www.example.com");
        assert_eq!(uuid.to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }

    proptest! {
        #[test]
        fn text_and_number_are_one_to_one(bytes in any::<[u8; 16]>()) {
            let uuid = Uuid::from_random(bytes);
            let text = uuid.to_string();
            prop_assert_eq!(Uuid::parse(&text), Some(uuid));
            prop_assert_eq!(text.as_bytes()[14], b'4');
        }
    }
}
