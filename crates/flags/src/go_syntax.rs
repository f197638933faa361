//! Booleans and integers as Go's `strconv` reads them.

use crate::ValueError;

/// `1 t T TRUE true True 0 f F FALSE false False`.
pub(crate) fn boolean(text: &str) -> Result<bool, ValueError> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(ValueError::Syntax),
    }
}

/// A signed integer with optional sign and base prefix.
pub(crate) fn signed(text: &str) -> Result<i64, ValueError> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = i128::from(unsigned(digits)?);
    let value = if negative { -magnitude } else { magnitude };
    i64::try_from(value).map_err(|_| ValueError::Range)
}

/// An unsigned integer: decimal, `0x`, `0o`, `0b`, or octal after a leading zero; underscores between digits.
pub(crate) fn unsigned(text: &str) -> Result<u64, ValueError> {
    let (radix, digits, after_prefix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &text[2..], true),
        [b'0', b'o' | b'O', ..] => (8, &text[2..], true),
        [b'0', b'b' | b'B', ..] => (2, &text[2..], true),
        [b'0', _, ..] => (8, &text[1..], true),
        _ => (10, text, false),
    };
    let plain = without_underscores(digits, after_prefix)?;
    if plain.is_empty() || !plain.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        return Err(ValueError::Syntax);
    }
    u64::from_str_radix(&plain, radix).map_err(|_| ValueError::Range)
}

fn without_underscores(digits: &str, after_prefix: bool) -> Result<String, ValueError> {
    let mut plain = String::with_capacity(digits.len());
    // An underscore must separate digits; a base prefix counts as one.
    let mut separable = after_prefix;
    for character in digits.chars() {
        if character == '_' {
            if !separable {
                return Err(ValueError::Syntax);
            }
            separable = false;
        } else {
            separable = true;
            plain.push(character);
        }
    }
    if separable {
        Ok(plain)
    } else {
        Err(ValueError::Syntax)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_go_reads_them() {
        for (text, value) in [
            ("0", 0),
            ("10", 10),
            ("0x1F", 31),
            ("0o17", 15),
            ("017", 15),
            ("0b101", 5),
            ("1_000", 1000),
            ("0_7", 7),
        ] {
            assert_eq!(unsigned(text), Ok(value), "{text}");
        }
        for text in [
            "", "abc", "-1", "+1", "1_", "_1", "1__0", "0x", "08", "1.5", " 1", "٣",
        ] {
            assert_eq!(unsigned(text), Err(ValueError::Syntax), "{text}");
        }
        assert_eq!(unsigned("99999999999999999999"), Err(ValueError::Range));
        assert_eq!(signed("-1"), Ok(-1));
        assert_eq!(signed("+0x10"), Ok(16));
        assert_eq!(signed("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(signed("9223372036854775808"), Err(ValueError::Range));
        assert_eq!(signed("--1"), Err(ValueError::Syntax));
    }

    #[test]
    fn booleans_are_the_twelve_spellings_of_go() {
        for text in ["1", "t", "T", "TRUE", "true", "True"] {
            assert_eq!(boolean(text), Ok(true));
        }
        for text in ["0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(boolean(text), Ok(false));
        }
        for text in ["", "yes", "tRUE", "2"] {
            assert_eq!(boolean(text), Err(ValueError::Syntax));
        }
    }
}
