//! Extended headers (POSIX pax): lines `LENGTH KEY=VALUE`, the length counting itself.

use crate::error::Error;

/// The records that concern us; the last of a key counts, and an empty value takes back what the header says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) mtime: Option<(i64, i32)>,
    pub(super) sparse: bool,
    pub(super) attributes: Vec<Vec<u8>>,
}

/// How tools name extended attributes in records.
const ATTRIBUTE_PREFIXES: [&[u8]; 2] = [b"SCHILY.xattr.", b"LIBARCHIVE.xattr."];

impl Pax {
    pub(super) fn parse(mut data: &[u8]) -> Result<Pax, Error> {
        let mut pax = Pax::default();
        while !data.is_empty() {
            let (key, value, rest) = record(data).ok_or_else(|| bad("malformed extended header"))?;
            pax.take(key, value)?;
            data = rest;
        }
        Ok(pax)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let text = || std::str::from_utf8(value).unwrap_or("");
        let number = || match text() {
            "" => Ok(None),
            digits => digits
                .parse()
                .map(Some)
                .map_err(|_| bad("malformed number in extended header")),
        };
        match key {
            b"path" => self.path = (!value.is_empty()).then(|| value.to_vec()),
            b"linkpath" => self.link = (!value.is_empty()).then(|| value.to_vec()),
            b"size" => self.size = number()?,
            b"uid" => self.uid = number()?,
            b"gid" => self.gid = number()?,
            b"mtime" => {
                self.mtime = match text() {
                    "" => None,
                    digits => Some(time(digits).ok_or_else(|| bad("malformed time in extended header"))?),
                };
            }
            _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
            _ => {
                if let Some(name) = ATTRIBUTE_PREFIXES
                    .iter()
                    .find_map(|prefix| key.strip_prefix(*prefix))
                {
                    self.attributes.push(name.to_vec());
                }
            }
        }
        Ok(())
    }
}

fn record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = data.iter().take(20).position(|&b| b == b' ')?;
    let length: usize = std::str::from_utf8(&data[..space]).ok()?.parse().ok()?;
    let body = data.get(space + 1..length)?;
    let body = body.strip_suffix(b"\n")?;
    let equals = body.iter().position(|&b| b == b'=')?;
    Some((&body[..equals], &body[equals + 1..], &data[length..]))
}

/// `-1.5` is half a second before one before the epoch: seconds -2, nanoseconds 500,000,000.
fn time(text: &str) -> Option<(i64, i32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let negative = whole.starts_with('-');
    let seconds: i64 = whole.parse().ok()?;
    let mut nanoseconds = 0_i32;
    for index in 0..9 {
        let digit = match fraction.as_bytes().get(index) {
            Some(digit) if digit.is_ascii_digit() => i32::from(digit - b'0'),
            Some(_) => return None,
            None => 0,
        };
        nanoseconds = nanoseconds * 10 + digit;
    }
    if negative && nanoseconds > 0 {
        return Some((seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds));
    }
    Some((seconds, nanoseconds))
}

fn bad(why: &str) -> Error {
    Error::Archive(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_may_hold_line_ends_and_any_bytes() {
        let pax =
            Pax::parse(b"14 path=a\nb\xff=\n20 mtime=1700000.25\n28 SCHILY.xattr.user.x=\x00\x01\x02\x03\n")
                .unwrap();
        assert_eq!(pax.path.as_deref(), Some(&b"a\nb\xff="[..]));
        assert_eq!(pax.mtime, Some((1_700_000, 250_000_000)));
        assert_eq!(pax.attributes, [b"user.x".to_vec()]);
    }

    #[test]
    fn malformed_records_are_errors() {
        for data in [
            &b"x"[..],
            b"5 a=b",
            b"99999999999999999999 a=b\n",
            b"3 a\n",
            b"0 a=b\n",
            b"12 size=-11\n",
        ] {
            assert!(Pax::parse(data).is_err(), "{data:?}");
        }
    }

    #[test]
    fn times_before_the_epoch_round_down() {
        assert_eq!(time("-1.5"), Some((-2, 500_000_000)));
        assert_eq!(time("-2"), Some((-2, 0)));
        assert_eq!(time("1.123456789123"), Some((1, 123_456_789)));
        assert_eq!(time("1.x"), None);
    }
}
