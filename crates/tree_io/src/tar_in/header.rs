//! The 512-byte header: fields as the `tar` crate reads them, checked.

use bstr::BString;
use tar::Header;

use super::member::{Kind, Member};
use super::pax::Pax;
use crate::error::Error;

/// Size of headers, and what content is padded to.
pub(super) const BLOCK_BYTES: usize = 512;

/// What a header introduces.
pub(super) enum Introduces {
    Member,
    /// A `pax` header for the next member.
    Pax,
    /// A `pax` header for all that follow: comments of `git archive` and the like.
    GlobalPax,
    /// GNU: the next member's name.
    LongName,
    /// GNU: the next member's link target.
    LongLink,
}

pub(super) fn check_sum(block: &[u8; BLOCK_BYTES]) -> Result<&Header, Error> {
    let header = Header::from_byte_slice(block);
    let stored = header
        .cksum()
        .map_err(|_| bad("unreadable checksum: not a tar archive, or damaged"))?;
    let sum = |signed: bool| -> i64 {
        block
            .iter()
            .enumerate()
            .map(|(at, &byte)| match at {
                148..156 => i64::from(b' '),
                // Some old programs summed signed characters.
                _ if signed => i64::from(byte.cast_signed()),
                _ => i64::from(byte),
            })
            .sum()
    };
    if i64::from(stored) == sum(false) || i64::from(stored) == sum(true) {
        Ok(header)
    } else {
        Err(bad("checksum mismatch: not a tar archive, or damaged"))
    }
}

pub(super) fn introduces(header: &Header) -> Introduces {
    match header.entry_type().as_byte() {
        b'x' | b'X' => Introduces::Pax,
        b'g' => Introduces::GlobalPax,
        b'L' => Introduces::LongName,
        b'K' => Introduces::LongLink,
        _ => Introduces::Member,
    }
}

pub(super) fn size(header: &Header) -> Result<u64, Error> {
    unsigned(&header.as_old().size).ok_or_else(|| bad("unreadable size"))
}

/// The member a header describes, with what preceded it.
pub(super) fn member(
    header: &Header,
    pax: Pax,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
) -> Result<Member, Error> {
    let name: BString = pax
        .path
        .or(long_name)
        .unwrap_or_else(|| header.path_bytes().into_owned())
        .into();
    let link = pax
        .link
        .or(long_link)
        .or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
    let flag = header.entry_type().as_byte();
    if pax.sparse || flag == b'S' {
        let hint = " (a sparse file: make the archive without --sparse)";
        return Err(Error::UnsupportedType {
            kind: 'S',
            path: name,
            hint,
        });
    }
    let kind = match flag {
        // Before there was a flag for directories they were files with a slash.
        0 | b'0' if name.ends_with(b"/") => Kind::Directory,
        0 | b'0' | b'7' => Kind::Regular,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::Character,
        b'4' => Kind::Block,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        other => {
            return Err(Error::UnsupportedType {
                kind: char::from(other),
                path: name,
                hint: "",
            });
        }
    };
    let unreadable = |what: &str| bad(&format!("{name}: unreadable {what}"));
    let small = |value: Option<u64>, what: &str| -> Result<u32, Error> {
        let value = value.ok_or_else(|| unreadable(what))?;
        u32::try_from(value).map_err(|_| bad(&format!("{name}: {what} is too large: {value}")))
    };
    let fields = header.as_old();
    let (mut major, mut minor) = (0, 0);
    if matches!(kind, Kind::Character | Kind::Block) {
        // ustar and GNU agree on where these are.
        let block = header.as_bytes();
        major = small(unsigned(&block[329..337]), "device number")?;
        minor = small(unsigned(&block[337..345]), "device number")?;
    }
    let (mtime_seconds, mtime_nanoseconds) = match pax.mtime {
        Some(time) => time,
        None => (
            signed(&fields.mtime).ok_or_else(|| unreadable("modification time"))?,
            0,
        ),
    };
    Ok(Member {
        kind,
        mode: small(unsigned(&fields.mode), "mode")? & 0o7777,
        uid: small(pax.uid.or_else(|| unsigned(&fields.uid)), "owner")?,
        gid: small(pax.gid.or_else(|| unsigned(&fields.gid)), "group")?,
        size: if kind == Kind::Regular {
            pax.size.map_or_else(|| size(header), Ok)?
        } else {
            0
        },
        mtime_seconds,
        mtime_nanoseconds,
        major,
        minor,
        attributes: pax.attributes,
        link: link.unwrap_or_default().into(),
        name,
    })
}

/// Octal digits between spaces and zero bytes, none at all meaning 0 (some writers leave fields empty), or two's complement
/// in base 256 when the first bit says so.
fn signed(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // The second bit is the sign.
        let start = if first & 0x40 != 0 {
            -1_i64 << 6 | i64::from(first & 0x3f)
        } else {
            i64::from(first & 0x3f)
        };
        return rest.iter().try_fold(start, |value, &byte| {
            value.checked_mul(256)?.checked_add(i64::from(byte))
        });
    }
    let end = field
        .iter()
        .rposition(|b| !matches!(b, b' ' | 0))
        .map_or(0, |at| at + 1);
    let digits = field[..end].trim_ascii_start();
    digits.iter().try_fold(0_i64, |value, &byte| match byte {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(byte - b'0')),
        _ => None,
    })
}

fn unsigned(field: &[u8]) -> Option<u64> {
    signed(field).and_then(|value| u64::try_from(value).ok())
}

pub(super) fn bad(why: &str) -> Error {
    Error::Archive(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_three_forms() {
        assert_eq!(signed(b"0000644\0"), Some(0o644));
        assert_eq!(signed(b"   644 \0"), Some(0o644));
        assert_eq!(signed(b"\0\0\0\0"), Some(0));
        assert_eq!(signed(b"\x80\0\x01\x02"), Some(0x102));
        assert_eq!(signed(b"\xff\xff\xff\xfe"), Some(-2));
        assert_eq!(
            signed(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            Some(-1)
        );
        assert_eq!(signed(b"9"), None);
        assert_eq!(unsigned(b"\xff\xff"), None);
        assert_eq!(unsigned(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
    }
}
