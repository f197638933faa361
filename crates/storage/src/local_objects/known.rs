//! The index of the object directory: what each directory `aa/bb` held, and the stamp it had then.
//!
//! A directory's stamp changes with every file that is made, removed or renamed in it, so one whose stamp agrees need not
//! be read: 65,536 looks at directories instead of one at each of millions of files. What a file *holds* is no part of
//! this: a file that was damaged in its place is found when it is first read, as without an index.
//!
//! Payload: inode of the root (8 bytes), then records: first and second byte of the hashes, the directory's stamp, the
//! number of objects, and for each 62 bytes of hash and 8 of size. Numbers are little-endian.

use crate::frame::{self, Kind, Refused, Seal};
use crate::{Result, Stamp, index_file};
use hash::Hash;
use std::collections::HashMap;
use std::ops::Range;
use std::os::fd::OwnedFd;

pub(super) const KIND: Kind = Kind {
    tag: *b"objs",
    version: 1,
};

/// The part of a hash that the directories do not say.
const REST_BYTES: usize = Hash::LENGTH - 2;

const OBJECT_BYTES: usize = REST_BYTES + 8;

/// Before the objects of a record.
const RECORD_HEADER_BYTES: usize = 2 + 24 + 4;

/// First and second byte of the hashes in a directory.
pub(super) type Prefix = [u8; 2];

/// An index that was read and found whole.
#[derive(Debug, Default)]
pub(super) struct Known {
    content: Vec<u8>,
    records: HashMap<Prefix, Record>,
}

#[derive(Debug)]
struct Record {
    stamp: Stamp,
    /// Header included.
    bytes: Range<usize>,
}

/// A record of the index to be written.
#[derive(Debug)]
pub(super) enum Piece {
    /// As it was.
    Old(Range<usize>),
    /// Of a directory that was read.
    New(Vec<u8>),
}

impl Known {
    /// Looks through the whole of it once, so that nothing later can fail.
    pub(super) fn open(content: Vec<u8>, root_inode: u64) -> std::result::Result<Known, Refused> {
        let payload = frame::open(KIND, &content)?;
        let start = payload.as_ptr().addr() - content.as_ptr().addr();
        let end = start + payload.len();
        let mut cursor = Cursor {
            content: &content[..end],
            at: start,
        };
        if cursor.number()? != root_inode {
            return Err(Refused::OtherDirectory);
        }
        let mut records = HashMap::new();
        while cursor.at < end {
            let (prefix, record) = cursor.record()?;
            if records.insert(prefix, record).is_some() {
                return Err(Refused::Contents("a directory twice".to_owned()));
            }
        }
        Ok(Known { content, records })
    }

    /// What the directory held when it had this stamp, if that is known.
    pub(super) fn objects(
        &self,
        prefix: Prefix,
        stamp: &Stamp,
    ) -> Option<(Piece, impl ExactSizeIterator<Item = (Hash, u64)>)> {
        let record = self
            .records
            .get(&prefix)
            .filter(|record| record.stamp == *stamp)?;
        let bytes = self.content.get(record.bytes.clone())?;
        let objects = bytes.get(RECORD_HEADER_BYTES..)?.chunks_exact(OBJECT_BYTES);
        let objects = objects.map(move |object| {
            let mut hash = [0; Hash::LENGTH];
            let mut size = [0; 8];
            hash[..2].copy_from_slice(&prefix);
            hash[2..].copy_from_slice(&object[..REST_BYTES]);
            size.copy_from_slice(&object[REST_BYTES..]);
            (Hash(hash), u64::from_le_bytes(size))
        });
        Some((Piece::Old(record.bytes.clone()), objects))
    }

    /// The directories, and the stamps for which they are known.
    #[cfg(feature = "fuzzing")]
    pub(super) fn directories(&self) -> impl Iterator<Item = (Prefix, Stamp)> {
        self.records
            .iter()
            .map(|(prefix, record)| (*prefix, record.stamp))
    }

    /// Whether an index of these pieces would say something else.
    pub(super) fn differs(&self, pieces: &[Piece]) -> bool {
        self.content.is_empty()
            || pieces.len() != self.records.len()
            || pieces.iter().any(|piece| matches!(piece, Piece::New(_)))
    }
}

/// A record for the index.
pub(super) fn record(prefix: Prefix, stamp: &Stamp, objects: &[(Hash, u64)]) -> Option<Piece> {
    let count = u32::try_from(objects.len()).ok()?;
    let mut bytes = Vec::with_capacity(RECORD_HEADER_BYTES + objects.len() * OBJECT_BYTES);
    bytes.extend_from_slice(&prefix);
    bytes.extend_from_slice(&stamp.size.to_le_bytes());
    bytes.extend_from_slice(&stamp.ctime_ns.to_le_bytes());
    bytes.extend_from_slice(&stamp.inode.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    for (hash, size) in objects {
        bytes.extend_from_slice(&hash.as_bytes()[2..]);
        bytes.extend_from_slice(&size.to_le_bytes());
    }
    Some(Piece::New(bytes))
}

/// Writes the index these pieces make up. Blocks.
pub(super) fn write(
    root: &OwnedFd,
    name: &str,
    root_inode: u64,
    known: &Known,
    pieces: &[Piece],
) -> Result<()> {
    let root_inode = root_inode.to_le_bytes();
    let records = pieces.iter().map(|piece| match piece {
        Piece::Old(bytes) => known.content.get(bytes.clone()).unwrap_or_default(),
        Piece::New(bytes) => bytes,
    });
    let payload = std::iter::once(&root_inode[..]).chain(records);
    let Seal { header, checksum } = Seal::of(KIND, payload.clone());
    let checksum = std::iter::once(checksum.as_bytes().as_slice());
    index_file::write(
        root,
        name,
        std::iter::once(&header[..]).chain(payload).chain(checksum),
    )
}

struct Cursor<'a> {
    content: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> std::result::Result<[u8; N], Refused> {
        let found = self.content.get(self.at..).and_then(<[u8]>::first_chunk::<N>);
        let found = found.ok_or_else(|| Refused::Contents("a record is cut short".to_owned()))?;
        self.at += N;
        Ok(*found)
    }

    fn number(&mut self) -> std::result::Result<u64, Refused> {
        self.take().map(u64::from_le_bytes)
    }

    fn record(&mut self) -> std::result::Result<(Prefix, Record), Refused> {
        let start = self.at;
        let prefix = self.take()?;
        let stamp = Stamp {
            size: self.number()?,
            ctime_ns: self.take().map(i64::from_le_bytes)?,
            inode: self.number()?,
        };
        let count = u32::from_le_bytes(self.take()?) as usize;
        let end = count
            .checked_mul(OBJECT_BYTES)
            .and_then(|length| self.at.checked_add(length))
            .filter(|end| *end <= self.content.len())
            .ok_or_else(|| Refused::Contents("a record is cut short".to_owned()))?;
        self.at = end;
        Ok((
            prefix,
            Record {
                stamp,
                bytes: start..end,
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The checksum keeps accidents out; these bytes have a right one.
        #[test]
        fn any_payload_is_read_or_refused_without_a_panic(payload in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Known::open(frame::seal(KIND, &payload), 1);
        }

        #[test]
        fn a_record_gives_back_its_objects_and_only_for_its_stamp(
            prefix in any::<[u8; 2]>(), rest in proptest::collection::vec((any::<[u8; 32]>(), 1..u64::MAX), 0..9),
            inode in any::<u64>(), ctime_ns in any::<i64>(),
        ) {
            let stamp = Stamp { size: 4096, ctime_ns, inode };
            let objects: Vec<_> = rest.into_iter().map(|(seed, size)| {
                let mut hash = hash::of(&seed);
                hash.0[..2].copy_from_slice(&prefix);
                (hash, size)
            }).collect();
            let Some(Piece::New(record)) = record(prefix, &stamp, &objects) else { panic!("no record") };
            let payload = [&7_u64.to_le_bytes()[..], &record].concat();
            let known = Known::open(frame::seal(KIND, &payload), 7).unwrap();
            let (_, found) = known.objects(prefix, &stamp).unwrap();
            prop_assert_eq!(found.collect::<Vec<_>>(), objects);
            let touched = Stamp { ctime_ns: ctime_ns ^ 1, ..stamp };
            prop_assert!(known.objects(prefix, &touched).is_none());
            let refused = Known::open(frame::seal(KIND, &payload), 8).err();
            prop_assert_eq!(refused, Some(Refused::OtherDirectory));
        }
    }
}
