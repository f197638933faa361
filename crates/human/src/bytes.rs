//! Sizes.

/// Binary units, largest first: shift and prefix.
const BINARY: [(u32, &str); 4] = [(40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")];

/// A size for reading: `348 KiB`, `11 B` (imagetool.md §4.2).
///
/// Divides, dropping the remainder, by the largest unit that leaves more than 100, or at least 1 without remainder.
pub fn bytes(size: u64) -> String {
    for (shift, prefix) in BINARY {
        let count = size >> shift;
        if count > 100 || count >= 1 && count << shift == size {
            return format!("{count} {prefix}B");
        }
    }
    format!("{size} B")
}

/// A size as flags write it, without loss: `10MiB`, `1kB`, `1500B`. The largest binary unit that leaves no remainder, else
/// the largest decimal one.
pub fn size(size: u64) -> String {
    for (shift, prefix) in [(60, "Ei"), (50, "Pi")].into_iter().chain(BINARY) {
        let count = size >> shift;
        if count >= 1 && count << shift == size {
            return format!("{count}{prefix}B");
        }
    }
    for (power, prefix) in [(18, "E"), (15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k")] {
        let unit = 10_u64.pow(power);
        if size >= unit && size.is_multiple_of(unit) {
            return format!("{}{prefix}B", size / unit);
        }
    }
    format!("{size}B")
}

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseSizeError {
    /// No digits in front, or something that is not a unit behind.
    #[error(
        "invalid size: {0:?}: write a number with a suffix such as KiB, MiB, GiB, K, M, G, kB, MB, GB, B or none"
    )]
    Invalid(String),
    /// More than 2^64 - 1 bytes.
    #[error("size too large: {0:?}")]
    TooLarge(String),
}

/// Parses a size in bytes: `KiB` to `EiB` and `K` to `E` are binary, `kB` to `EB` decimal, `B` or nothing is bytes
/// (imageserver.md §8).
pub fn parse_size(text: &str) -> Result<u64, ParseSizeError> {
    let invalid = || ParseSizeError::Invalid(text.to_owned());
    let trimmed = text.trim();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = trimmed.split_at(digits);
    if number.is_empty() {
        return Err(invalid());
    }
    let unit = multiplier(unit.trim_start()).ok_or_else(invalid)?;
    let number = number.parse::<u64>().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| ParseSizeError::TooLarge(text.to_owned()))
}

fn multiplier(unit: &str) -> Option<u64> {
    if matches!(unit, "" | "B") {
        return Some(1);
    }
    // The position of the letter is the power of 1024 or 1000, less one.
    const PREFIXES: &str = "KMGTPE";
    let (letter, rest) = unit.split_at_checked(1)?;
    let power = |letter: &str| PREFIXES.find(letter).and_then(|at| u32::try_from(at + 1).ok());
    match (letter, rest) {
        ("k", "B") => Some(1000),
        ("K", "B") => None,
        (letter, "B") => Some(1000_u64.pow(power(letter)?)),
        (letter, "" | "iB") => Some(1 << (10 * power(letter)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_recorded() {
        let cases = [
            (0, "0 B"),
            (11, "11 B"),
            (1024, "1 KiB"),
            (1025, "1025 B"),
            (102_400, "100 KiB"),
            (103_424, "101 KiB"),
            (103_425, "101 KiB"),
            (356_352, "348 KiB"),
            (1 << 20, "1 MiB"),
            ((1 << 20) + 1, "1024 KiB"),
            (3 << 40, "3 TiB"),
            (u64::MAX, "16777215 TiB"),
        ];
        for (size, text) in cases {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn flag_sizes_survive_a_round_trip() {
        for value in [0, 1, 1000, 1024, 4 << 20, 10 << 30, 1 << 60, u64::MAX] {
            assert_eq!(parse_size(&size(value)), Ok(value));
        }
        let cases = [
            (0, "0B"),
            (1500, "1500B"),
            (1024, "1KiB"),
            (2000, "2kB"),
            (10 << 20, "10MiB"),
            (1_000_000_000, "1GB"),
            (1_000_000_000_000, "976562500KiB"),
        ];
        for (value, text) in cases {
            assert_eq!(size(value), text);
        }
    }

    #[test]
    fn every_suffix_of_the_flags_is_known_and_no_other() {
        let cases = [
            ("10MiB", 10 << 20),
            ("10 MiB", 10 << 20),
            ("2K", 2048),
            ("2kB", 2000),
            ("1EB", 1_000_000_000_000_000_000),
            ("1E", 1 << 60),
            ("7B", 7),
            ("7", 7),
        ];
        for (text, value) in cases {
            assert_eq!(parse_size(text), Ok(value), "{text}");
        }
        for text in ["", "B", "-1", "1KB", "1k", "1kiB", "1m", "1XB", "1MiBs", "1.5M"] {
            assert!(
                matches!(parse_size(text), Err(ParseSizeError::Invalid(_))),
                "{text}"
            );
        }
        for text in ["16E", "99999999999999999999"] {
            assert!(
                matches!(parse_size(text), Err(ParseSizeError::TooLarge(_))),
                "{text}"
            );
        }
    }
}
