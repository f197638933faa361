//! Strings that are not quite UTF-8, kept byte for byte.
//!
//! Go's strings are arbitrary bytes, ours are not. Where text is wanted, a byte that does not belong to a valid character
//! becomes a character of its own in a private area of Unicode ([`is_byte`]), and that byte again when the string is
//! encoded. A stream that was decoded and encoded has the bytes it had. Whoever shows such a string shows signs that
//! stand for nothing; [`to_bytes`] gives what the peer meant.

use std::borrow::Cow;

use bstr::ByteSlice;

/// The character of byte 0; those of bytes from 0x80 on are used. Nobody assigns characters in this area, and should
/// somebody use them all the same, their bytes are kept one by one.
const BASE: u32 = 0x10_FE00;

/// What the encoding of such a character begins with.
const PREFIX: &[u8] = b"\xf4\x8f";

/// Whether a character stands for a byte that is not UTF-8.
pub fn is_byte(character: char) -> bool {
    (BASE + 0x80..=BASE + 0xff).contains(&u32::from(character))
}

/// Whether a string has bytes in it that are not UTF-8.
pub fn has_bytes(text: &str) -> bool {
    might_have(text.as_bytes()) && text.chars().any(is_byte)
}

fn might_have(bytes: &[u8]) -> bool {
    bytes.find(PREFIX).is_some()
}

fn push_byte(text: &mut String, byte: u8) {
    // All of the area are characters.
    text.extend(char::from_u32(BASE + u32::from(byte)));
}

/// Bytes as text.
pub fn from_bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes)
        && !has_bytes(text)
    {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_byte(character) {
                let mut encoded = [0; 4];
                character
                    .encode_utf8(&mut encoded)
                    .bytes()
                    .for_each(|byte| push_byte(&mut text, byte));
            } else {
                text.push(character);
            }
        }
        chunk
            .invalid()
            .iter()
            .for_each(|byte| push_byte(&mut text, *byte));
    }
    text.into()
}

/// Text as the bytes it was made of.
pub fn to_bytes(text: &str) -> Cow<'_, [u8]> {
    if !has_bytes(text) {
        return text.as_bytes().into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        if is_byte(character) {
            // The last eight bits are the byte.
            bytes.push(u32::from(character) as u8);
        } else {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["", "abc", "é→𝄞", "\u{10ffff}\u{10fe7f}\u{10ff00}"] {
            assert_eq!(from_bytes(text.as_bytes()), text);
            assert_eq!(to_bytes(text), text.as_bytes());
            assert!(!has_bytes(text));
        }
    }

    #[test]
    fn a_byte_that_is_no_character_becomes_one() {
        let text = from_bytes(b"caf\xe9 \xc3\xa9");
        assert_eq!(text, "caf\u{10fee9} é");
        assert!(has_bytes(&text));
    }

    proptest! {
        #[test]
        fn bytes_are_kept(parts in proptest::collection::vec(prop_oneof![
            any::<Vec<u8>>(),
            "\\PC{0,4}".prop_map(String::into_bytes),
            (0x10_fe70_u32..0x10_ff10).prop_map(|code| char::from_u32(code).unwrap_or('x').to_string().into_bytes()),
        ], 0..6)) {
            let bytes = parts.concat();
            let text = from_bytes(&bytes);
            prop_assert_eq!(to_bytes(&text), &bytes[..]);
        }
    }
}
