//! The two certificate extensions that carry powers, and the patterns in them (srpc.md §7.1, §7.3).

/// Extension with the permitted methods: patterns over `Service.Method`.
pub(crate) const METHODS_OID: &str = "1.3.6.1.4.1.9586.100.7.1";
/// Extension with the groups of the user.
pub(crate) const GROUPS_OID: &str = "1.3.6.1.4.1.9586.100.7.2";

const SEQUENCE: u8 = 0x30;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// Why an extension or a pattern cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum PowersError {
    /// The bytes are no DER sequence of strings.
    #[error("is not a DER sequence of strings")]
    Malformed,
    /// More bytes follow the sequence.
    #[error("has {0} extra bytes after its list")]
    Trailing(usize),
    /// A method entry without exactly one dot: servers reject the whole certificate.
    #[error("bad line: {0:?} (every entry is Service.Method, with exactly one dot)")]
    BadLine(String),
}

/// The DER form of a list: `SEQUENCE OF UTF8String`.
pub(crate) fn encode_list(entries: &[String]) -> Vec<u8> {
    let mut content = Vec::new();
    for entry in entries {
        push_element(&mut content, UTF8_STRING, entry.as_bytes());
    }
    let mut der = Vec::with_capacity(content.len() + 4);
    push_element(&mut der, SEQUENCE, &content);
    der
}

fn push_element(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    let length = content.len();
    if let Ok(short) = u8::try_from(length)
        && short < 0x80
    {
        out.push(short);
    } else {
        let bytes = length.to_be_bytes();
        let first = bytes
            .iter()
            .position(|byte| *byte != 0)
            .unwrap_or(bytes.len() - 1);
        let significant = &bytes[first..];
        // At most eight length bytes, so the sum fits.
        out.push(0x80 | significant.len() as u8);
        out.extend_from_slice(significant);
    }
    out.extend_from_slice(content);
}

/// Reads a list as the servers do.
pub(crate) fn decode_list(der: &[u8]) -> Result<Vec<String>, PowersError> {
    let (tag, mut content, rest) = take_element(der)?;
    if tag != SEQUENCE {
        return Err(PowersError::Malformed);
    }
    if !rest.is_empty() {
        return Err(PowersError::Trailing(rest.len()));
    }
    let mut entries = Vec::new();
    while !content.is_empty() {
        let (tag, text, rest) = take_element(content)?;
        if !matches!(tag, UTF8_STRING | PRINTABLE_STRING | IA5_STRING) {
            return Err(PowersError::Malformed);
        }
        entries.push(String::from_utf8(text.to_vec()).map_err(|_| PowersError::Malformed)?);
        content = rest;
    }
    Ok(entries)
}

fn take_element(der: &[u8]) -> Result<(u8, &[u8], &[u8]), PowersError> {
    let [tag, first, rest @ ..] = der else {
        return Err(PowersError::Malformed);
    };
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 || rest.len() < count {
            return Err(PowersError::Malformed);
        }
        let length = rest[..count]
            .iter()
            .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        (length, &rest[count..])
    };
    if rest.len() < length {
        return Err(PowersError::Malformed);
    }
    Ok((*tag, &rest[..length], &rest[length..]))
}

/// Checks one method entry: exactly one dot, and a pattern that can match something.
pub(crate) fn check_method(entry: &str) -> Result<(), PowersError> {
    if entry.matches('.').count() != 1 || entry.chars().any(char::is_control) {
        return Err(PowersError::BadLine(entry.to_owned()));
    }
    Ok(())
}

/// One step of a pattern.
enum Step {
    /// `*`: any run without a slash.
    Run,
    /// `?`: one character but a slash.
    One,
    /// `[a-z]`, `[^a]`.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// That character, or any after a backslash.
    Exactly(char),
}

impl Step {
    fn accepts(&self, character: char) -> bool {
        match self {
            Self::Run | Self::One => character != '/',
            Self::Class { negated, ranges } => {
                ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&character))
                    != *negated
            }
            Self::Exactly(expected) => character == *expected,
        }
    }
}

/// Is this a well-formed pattern? A malformed one never matches.
pub(crate) fn is_well_formed(pattern: &str) -> bool {
    parse_pattern(pattern).is_some()
}

/// Does the pattern match the whole of `name`? Linear in pattern times name.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let Some(steps) = parse_pattern(pattern) else {
        return false;
    };
    let name: Vec<char> = name.chars().collect();
    let (mut step, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < name.len() || step < steps.len() {
        match steps.get(step) {
            Some(Step::Run) => {
                retry = Some((step, at));
                step += 1;
                continue;
            }
            Some(other) if at < name.len() && other.accepts(name[at]) => {
                step += 1;
                at += 1;
                continue;
            }
            _ => {}
        }
        // Let the last run swallow one more character.
        match retry {
            Some((run, from)) if from < name.len() && name[from] != '/' => {
                retry = Some((run, from + 1));
                step = run + 1;
                at = from + 1;
            }
            _ => return false,
        }
    }
    true
}

fn parse_pattern(pattern: &str) -> Option<Vec<Step>> {
    let mut characters = pattern.chars().peekable();
    let mut steps = Vec::new();
    while let Some(character) = characters.next() {
        steps.push(match character {
            '*' => Step::Run,
            '?' => Step::One,
            '\\' => Step::Exactly(characters.next()?),
            '[' => {
                let negated = characters.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while ranges.is_empty() || characters.peek() != Some(&']') {
                    let low = class_character(&mut characters)?;
                    let high = match characters.next_if_eq(&'-') {
                        Some(_) => class_character(&mut characters)?,
                        None => low,
                    };
                    ranges.push((low, high));
                }
                characters.next();
                Step::Class { negated, ranges }
            }
            other => Step::Exactly(other),
        });
    }
    Some(steps)
}

fn class_character(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match characters.next()? {
        '-' | ']' => None,
        '\\' => characters.next(),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|entry| (*entry).to_owned()).collect()
    }

    #[test]
    fn lists_of_any_length_read_back() {
        let many: Vec<String> = (0..3_000)
            .map(|number| format!("Service{number}.Method"))
            .collect();
        let long = vec!["x".repeat(127), "y".repeat(128), "z".repeat(70_000)];
        for entries in [list(&[]), list(&["*.*"]), list(&["grüppe"]), many, long] {
            assert_eq!(decode_list(&encode_list(&entries)).unwrap(), entries);
        }
        assert_eq!(encode_list(&list(&["*.*"])), b"\x30\x05\x0c\x03*.*");
    }

    #[test]
    fn printable_and_ia5_strings_are_read_and_anything_else_is_refused() {
        assert_eq!(
            decode_list(b"\x30\x06\x13\x01a\x16\x01b").unwrap(),
            list(&["a", "b"])
        );
        assert_eq!(decode_list(b"\x30\x03\x0c\x01ax"), Err(PowersError::Trailing(1)));
        for bad in [
            &b""[..],
            b"\x30",
            b"\x30\x05\x0c\x03*.",
            b"\x30\x03\x02\x01\x01",
            b"\x30\x80\x00\x00",
            b"\x0c\x01a",
        ] {
            assert_eq!(decode_list(bad), Err(PowersError::Malformed), "{bad:x?}");
        }
        assert_eq!(
            decode_list(b"\x30\x84\xff\xff\xff\xff"),
            Err(PowersError::Malformed)
        );
    }

    #[test]
    fn patterns_match_as_shell_globs_over_the_whole_name() {
        let yes = [
            ("*.*", "A.B"),
            ("A.*", "A.Bc"),
            ("A.Get*", "A.GetImage"),
            ("?.B", "A.B"),
            ("[A-C].B", "B.B"),
            ("[^X].B", "A.B"),
            (r"\*.B", "*.B"),
            ("*a*b*.C", "xaxbx.C"),
            ("", ""),
        ];
        for (pattern, name) in yes {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        let no = [
            ("A.*", "B.B"),
            ("A.Get", "A.GetImage"),
            ("*", "a/b"),
            ("[A-C].B", "D.B"),
            ("[A.B", "A.B"),
            ("[].B", "].B"),
            ("A.\\", "A.\\"),
            ("?.B", ".B"),
            ("A.B", "a.b"),
        ];
        for (pattern, name) in no {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!(!is_well_formed("[A.B"));
    }

    #[test]
    fn an_entry_without_exactly_one_dot_is_refused() {
        assert!(check_method("ImageServer.*").is_ok());
        for bad in ["*", "a.b.c", "", "a.b\nc"] {
            assert!(check_method(bad).is_err(), "{bad:?}");
        }
    }
}
