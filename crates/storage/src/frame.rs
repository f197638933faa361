//! The frame of our own index files: kind, version, length, checksum. What does not fit it is not believed.
//!
//! An index is derived from the directory it lies in and may be lost at any time, so there is nothing to repair: one wrong
//! bit anywhere and it is made anew.

use hash::{Hash, Hasher};

/// What every index file begins with.
const MAGIC: &[u8; 8] = b"IWindex\n";

/// Bytes before the payload: magic, kind, version, length.
const HEADER_BYTES: usize = 8 + 4 + 4 + 8;

/// What an index is of. A file of another kind or version is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Four letters.
    pub tag: [u8; 4],
    /// Goes up with every change of what the payload means.
    pub version: u32,
}

/// Why an index is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not our file, or of another kind.
    #[error("it is no such index")]
    Foreign,
    /// Written by another version of this program.
    #[error("it has version {found}, and this program writes {expected}")]
    Version {
        /// Of the file.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// Cut short, or longer than it says.
    #[error("it has the wrong length")]
    Length,
    /// Its bytes are not those that were written.
    #[error("its checksum does not fit")]
    Checksum,
    /// The frame is right and the payload is not: a defect of the writer.
    #[error("it contradicts itself: {0}")]
    Contents(String),
    /// It was made for another directory.
    #[error("it was made for another directory")]
    OtherDirectory,
}

/// What comes before and after a payload that is written piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Before the payload.
    pub header: Vec<u8>,
    /// After it.
    pub checksum: Hash,
}

impl Seal {
    /// The frame for the payload that these pieces make up. One pass over them, no copy: an index of a million objects
    /// has 70 MB.
    pub fn of<'a>(kind: Kind, pieces: impl Iterator<Item = &'a [u8]> + Clone) -> Seal {
        let length: u64 = pieces.clone().map(|piece| piece.len() as u64).sum();
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&kind.tag);
        header.extend_from_slice(&kind.version.to_le_bytes());
        header.extend_from_slice(&length.to_le_bytes());
        let mut hasher = Hasher::new();
        hasher.update(&header);
        pieces.for_each(|piece| hasher.update(piece));
        Seal {
            header,
            checksum: hasher.finish(),
        }
    }
}

/// A payload that is in memory, in its frame.
pub fn seal(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let Seal { header, checksum } = Seal::of(kind, std::iter::once(payload));
    [&header, payload, checksum.as_bytes()].concat()
}

/// The payload of a frame. Costs one pass over the bytes and no memory.
///
/// # Errors
/// Any difference from what [`seal`] made of a payload of this kind.
pub fn open(kind: Kind, sealed: &[u8]) -> Result<&[u8], Refused> {
    let (found, rest) = header(sealed)?;
    if found.tag != kind.tag {
        return Err(Refused::Foreign);
    }
    if found.version != kind.version {
        return Err(Refused::Version {
            found: found.version,
            expected: kind.version,
        });
    }
    payload(sealed, rest)
}

/// The kind of a whole frame, whatever it is of.
///
/// # Errors
/// It is none, or damaged.
pub fn examine(sealed: &[u8]) -> Result<Kind, Refused> {
    let (kind, rest) = header(sealed)?;
    payload(sealed, rest).map(|_| kind)
}

/// Kind and version, and what comes after them.
fn header(sealed: &[u8]) -> Result<(Kind, &[u8]), Refused> {
    let (magic, rest) = sealed.split_at_checked(MAGIC.len()).ok_or(Refused::Length)?;
    let (tag, rest) = rest.split_first_chunk::<4>().ok_or(Refused::Length)?;
    if magic != MAGIC {
        return Err(Refused::Foreign);
    }
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(Refused::Length)?;
    let kind = Kind {
        tag: *tag,
        version: u32::from_le_bytes(*version),
    };
    Ok((kind, rest))
}

fn payload<'s>(sealed: &'s [u8], rest: &'s [u8]) -> Result<&'s [u8], Refused> {
    let (length, rest) = rest.split_first_chunk::<8>().ok_or(Refused::Length)?;
    let (payload, checksum) = rest
        .split_last_chunk::<{ Hash::LENGTH }>()
        .ok_or(Refused::Length)?;
    if u64::from_le_bytes(*length) != payload.len() as u64 {
        return Err(Refused::Length);
    }
    let (summed, _) = sealed.split_at(sealed.len() - checksum.len());
    if hash::of(summed).as_bytes() != checksum {
        return Err(Refused::Checksum);
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KIND: Kind = Kind {
        tag: *b"test",
        version: 3,
    };

    #[test]
    fn other_kinds_and_versions_are_refused_by_name() {
        let sealed = seal(KIND, b"payload");
        let other = Kind {
            tag: *b"sett",
            ..KIND
        };
        assert_eq!(open(other, &sealed), Err(Refused::Foreign));
        let next = Kind { version: 4, ..KIND };
        let refused = Refused::Version {
            found: 3,
            expected: 4,
        };
        assert_eq!(open(next, &sealed), Err(refused));
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened_and_nothing_else_is(
            payload in proptest::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in 0..8_u8,
        ) {
            let sealed = seal(KIND, &payload);
            prop_assert_eq!(open(KIND, &sealed), Ok(&payload[..]));
            let mut flipped = sealed.clone();
            flipped[at.index(sealed.len())] ^= 1 << bit;
            prop_assert!(open(KIND, &flipped).is_err());
            prop_assert!(open(KIND, &sealed[..at.index(sealed.len())]).is_err());
            let mut longer = sealed;
            longer.push(0);
            prop_assert!(open(KIND, &longer).is_err());
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(KIND, &bytes).is_err());
        }
    }
}
