//! The index of images that makes a start quick. It may be deleted at any time.
//!
//! Frames of some hundred images each. An image's part of it counts only while its record's file has the stamp that stands there,
//! and that stamp had settled before the record was read.

use super::known::{Known, KnownRecord};
use super::{Result, Revision, Shared};
use repository::Uuid;
use repository::catalogue::{ENTRY_VERSION, Entry};
use repository::manifest::Mode;
use std::collections::HashMap;
use std::sync::Mutex;
use storage::Stamp;
use storage::frame::{self, Kind};

const KIND: Kind = Kind {
    tag: *b"imgR",
    version: 1,
};

/// Images in a frame: half a megabyte.
const FRAME_IMAGES: usize = 512;

/// Frames waiting for a thread at the start.
const FRAMES_WAITING: usize = 4;

/// Bytes of a boot's identifier.
const BOOT_BYTES: usize = 36;

/// Threads that decode, at most. They compute.
const THREADS: usize = 8;

/// An image of the index whose record is as it was.
pub(super) struct Indexed {
    pub(super) entry: Entry,
    pub(super) revision: Revision,
    pub(super) stamp: Stamp,
    pub(super) is_archived: bool,
}

/// What frames begin with: entries depend on it.
fn header(shared: &Shared) -> [u8; 6] {
    let [a, b, c, d] = ENTRY_VERSION.to_le_bytes();
    let mode = match shared.rules.mode {
        Mode::Public => 0,
        Mode::Private => 1,
        Mode::Datacenter => 2,
    };
    [a, b, c, d, mode, u8::from(shared.rules.has_channels)]
}

/// Which run of the kernel this is; nothing if it does not tell. Archived manifests are not flushed: after another boot they have to be
/// looked at.
fn boot() -> [u8; BOOT_BYTES] {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let mut boot = [0; BOOT_BYTES];
    let length = text.len().min(BOOT_BYTES);
    boot[..length].copy_from_slice(&text.as_bytes()[..length]);
    boot
}

/// Writes the index. Blocks.
///
/// # Errors
/// It cannot be written: the next start takes longer.
pub(super) fn save(shared: &Shared) -> Result<()> {
    settle(shared)?;
    let boot = boot();
    let (catalogue, known) = {
        let known = shared.known.lock();
        let settled = known.records.iter().filter(|(_, known)| known.is_settled);
        let settled: HashMap<Uuid, (KnownRecord, bool)> = settled
            .map(|(uuid, record)| (*uuid, (*record, !known.unarchived.contains(uuid))))
            .collect();
        (shared.catalogue.load_full(), settled)
    };
    let entries = catalogue.iter();
    let mut entries = entries
        .filter_map(|entry| Some((entry, known.get(&entry.uuid())?)))
        .peekable();
    let frames = std::iter::from_fn(|| {
        entries.peek()?;
        let mut payload = [header(shared).as_slice(), &boot].concat();
        for (entry, (record, is_archived)) in entries.by_ref().take(FRAME_IMAGES) {
            append(&mut payload, record, *is_archived, entry);
        }
        Some(payload)
    });
    Ok(shared.directory.write_index(KIND, frames)?)
}

fn append(payload: &mut Vec<u8>, record: &KnownRecord, is_archived: bool, entry: &Entry) {
    payload.extend_from_slice(&record.stamp.size.to_le_bytes());
    payload.extend_from_slice(&record.stamp.ctime_ns.to_le_bytes());
    payload.extend_from_slice(&record.stamp.inode.to_le_bytes());
    payload.extend_from_slice(&record.revision.to_bytes());
    payload.push(u8::from(is_archived));
    entry.encode(payload);
}

/// Reads what was written so lately that its stamp did not vouch for it, once more.
fn settle(shared: &Shared) -> Result<()> {
    let unsettled: Vec<(Uuid, KnownRecord)> = {
        let known = shared.known.lock();
        let records = known.records.iter().filter(|(_, record)| !record.is_settled);
        records.map(|(uuid, record)| (*uuid, *record)).collect()
    };
    let now_ns = shared.directory.clock_ns()?;
    let ripe = unsettled
        .into_iter()
        .filter(|(_, record)| record.stamp.is_settled(now_ns));
    for (uuid, record) in ripe {
        let read = super::read::text(shared, uuid)?;
        let is_same =
            read.is_some_and(|(text, stamp)| stamp == record.stamp && Revision::of(&text) == record.revision);
        let mut known = shared.known.lock();
        let now = known.records.get_mut(&uuid);
        let now = now.filter(|now| now.stamp == record.stamp);
        if let Some(now) = now.filter(|_| is_same) {
            now.is_settled = true;
        }
    }
    Ok(())
}

/// The images of the index whose records are still those. What cannot be read of it is as if it were not there.
pub(super) fn load(shared: &Shared, there: &HashMap<Uuid, Stamp>) -> Vec<Indexed> {
    let mut reader = match shared.directory.read_index() {
        Ok(Some(reader)) => reader,
        Ok(None) => return Vec::new(),
        Err(error) => {
            tracing::warn!("this start takes longer: {error}");
            return Vec::new();
        }
    };
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(THREADS);
    let found = Mutex::new(Vec::new());
    let (sender, frames) = crossbeam_channel::bounded::<Vec<u8>>(FRAMES_WAITING);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (frames, found) = (frames.clone(), &found);
            scope.spawn(move || {
                for sealed in frames {
                    let mut images = decode(shared, &sealed, there);
                    if let Ok(mut found) = found.lock() {
                        found.append(&mut images);
                    }
                }
            });
        }
        drop(frames);
        while let Some(sealed) = reader.next_frame() {
            if sender.send(sealed).is_err() {
                break;
            }
        }
        drop(sender);
    });
    found.into_inner().unwrap_or_default()
}

fn decode(shared: &Shared, sealed: &[u8], there: &HashMap<Uuid, Stamp>) -> Vec<Indexed> {
    let mut images = Vec::new();
    let payload = match frame::open(KIND, sealed) {
        Ok(payload) => payload,
        Err(refused) => {
            tracing::warn!("this start takes longer, a part of the index is not believed: {refused}");
            return images;
        }
    };
    let Some(mut rest) = payload.strip_prefix(&header(shared)) else {
        return images;
    };
    let boot = boot();
    let is_same_boot = take(&mut rest) == Some(boot) && boot != [0; BOOT_BYTES];
    while !rest.is_empty() {
        let Some(mut image) = image(&mut rest) else {
            break;
        };
        image.is_archived &= is_same_boot;
        if there.get(&image.entry.uuid()) == Some(&image.stamp) {
            images.push(image);
        }
    }
    images
}

fn image(rest: &mut &[u8]) -> Option<Indexed> {
    let stamp = Stamp {
        size: u64::from_le_bytes(take(rest)?),
        ctime_ns: i64::from_le_bytes(take(rest)?),
        inode: u64::from_le_bytes(take(rest)?),
    };
    let revision = Revision::of_bytes(take(rest)?);
    let [is_archived] = take(rest)?;
    Some(Indexed {
        entry: Entry::decode(rest)?,
        revision,
        stamp,
        is_archived: is_archived == 1,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

/// Puts what the index had into what is known.
pub(super) fn adopt(known: &mut Known, image: &Indexed) {
    let uuid = image.entry.uuid();
    let record = KnownRecord {
        stamp: image.stamp,
        revision: image.revision,
        is_settled: true,
    };
    known.records.insert(uuid, record);
    if !image.is_archived {
        known.unarchived.insert(uuid);
    }
}
