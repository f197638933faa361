//! The text form: 128 lower-case hex digits.

use std::fmt;
use std::str::FromStr;

use crate::Hash;

/// Why a text is not a hash. The first two texts are what peers know (srpc.md §3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseHashError {
    /// Something else than `0-9a-f`; upper case is refused too.
    #[error("bad character")]
    BadCharacter,
    /// More than 128 digits.
    #[error("hash string too long")]
    TooLong,
    /// Fewer than 128 digits.
    #[error("hash string too short")]
    TooShort,
}

/// Hex digits in a text form.
const DIGITS: usize = Hash::LENGTH * 2;

impl Hash {
    /// The text form as bytes, without allocating.
    pub fn to_hex(&self) -> [u8; DIGITS] {
        const ALPHABET: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; DIGITS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = ALPHABET[usize::from(byte >> 4)];
            pair[1] = ALPHABET[usize::from(byte & 15)];
        }
        digits
    }

    /// Parses the text form from bytes.
    pub fn from_hex(text: &[u8]) -> Result<Self, ParseHashError> {
        let mut bytes = [0; Self::LENGTH];
        for (at, &digit) in text.iter().enumerate() {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return Err(ParseHashError::BadCharacter),
            };
            let byte = bytes.get_mut(at / 2).ok_or(ParseHashError::TooLong)?;
            *byte = *byte << 4 | value;
        }
        if text.len() < DIGITS {
            return Err(ParseHashError::TooShort);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.to_hex();
        // Hex digits are ASCII, so the lossless branch is the only one taken.
        formatter.pad(str::from_utf8(&digits).unwrap_or_default())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Hash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        Self::from_hex(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_survives_a_round_trip() {
        let hash = crate::of(b"hello");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().len(), 128);
        assert_eq!(format!("{hash:?}"), hash.to_string());
    }

    #[test]
    fn refusals_have_the_texts_peers_know() {
        let text = crate::of(b"hello").to_string();
        let refusal = |text: &str| text.parse::<Hash>().map_err(|error| error.to_string());
        assert_eq!(refusal(&text.to_uppercase()), Err("bad character".into()));
        assert_eq!(refusal(&format!("{text}0")), Err("hash string too long".into()));
        assert_eq!(refusal(&text[1..]), Err("hash string too short".into()));
        assert_eq!(refusal("é"), Err("bad character".into()));
        assert_eq!(refusal(""), Err("hash string too short".into()));
    }
}
