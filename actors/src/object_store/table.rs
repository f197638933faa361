//! The table of objects.
//!
//! 256 shards by the first byte of the hash, each a slab of slots with an index of slot numbers. What an image needs is
//! kept as slot numbers ([`ObjectId`], 4 bytes instead of 64), which stay valid as long as the image holds its
//! references: a slot is freed only when nobody refers to its object.
//!
//! What looks at all of them is in `table_walk`. Memory: a slot is 112 bytes; with the index (5 bytes at 7/8 load at most) and the growth of vectors an object takes
//! 120 to 190 bytes, an unreferenced one about 20 more for its place in the queue.

use super::lease::Lease;
use super::slot::{Shard, Slot, SlotState};
use super::totals::Totals;
use super::unreferenced::Unreferenced;
use hash::Hash;
use parking_lot::{RwLock, RwLockWriteGuard};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use storage::Stamp;

pub(super) const SHARDS: usize = 256;

/// A slot of the table: 8 bits of shard, 24 bits of place in it. Room for 4 thousand million objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectId(u32);

impl ObjectId {
    pub(super) fn new(shard: usize, place: u32) -> ObjectId {
        ObjectId((place << 8) | shard as u32)
    }

    /// The same number for the same object, as long as somebody holds on to it.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// First byte of the object's hash: the same in every process.
    pub(crate) fn first_byte(self) -> u8 {
        self.shard() as u8
    }

    pub(super) fn shard(self) -> usize {
        (self.0 & 0xff) as usize
    }

    pub(super) fn place(self) -> usize {
        (self.0 >> 8) as usize
    }
}

pub(crate) struct Table {
    pub(super) shards: Vec<RwLock<Shard>>,
    pub(super) unreferenced: Unreferenced,
    pub(super) totals: Totals,
    /// Objects added and removed since the start.
    pub(crate) changes: AtomicU64,
    start: Instant,
}

/// What is known about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: ObjectId,
    pub(super) size: u64,
    pub(super) verified: u64,
    pub(super) damaged: bool,
}

impl Table {
    pub(crate) fn new() -> Table {
        Table {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            unreferenced: Unreferenced::default(),
            totals: Totals::default(),
            changes: AtomicU64::new(0),
            start: Instant::now(),
        }
    }

    fn shard_of(hash: &Hash) -> usize {
        usize::from(hash.as_bytes()[0])
    }

    pub(super) fn shard(&self, id: ObjectId) -> (RwLockWriteGuard<'_, Shard>, usize) {
        (self.shards[id.shard()].write(), id.place())
    }

    /// An object found by the scan at the start. Not queued yet: most are about to be referenced.
    pub(crate) fn insert_scanned(&self, hash: Hash, size: u64) {
        let mut shard = self.shards[Table::shard_of(&hash)].write();
        if shard.find(&hash).is_none() && shard.insert(hash, size).is_some() {
            self.totals.object_added(size);
        }
    }

    /// An object whose file was just committed, or found to be right.
    pub(super) fn insert_committed(&self, hash: Hash, stamp: Stamp, lease: Option<&Lease>) {
        let number = Table::shard_of(&hash);
        let mut shard = self.shards[number].write();
        let found = shard.find(&hash);
        let Some(place) = found.or_else(|| shard.insert(hash, stamp.size)) else {
            return;
        };
        let id = ObjectId::new(number, place);
        let Some(slot) = shard.slot(place as usize) else {
            return;
        };
        if found.is_none() {
            self.totals.object_added(slot.size);
            slot.sequence = self.unreferenced.push(id);
        } else if slot.size != stamp.size {
            // A damaged file of another length was replaced.
            self.totals.size_changed(slot.size, stamp.size, slot.references);
            slot.size = stamp.size;
        }
        if slot.state == SlotState::Damaged {
            self.totals.damaged_repaired();
        }
        if found.is_none() || slot.state == SlotState::Damaged {
            self.changes.fetch_add(1, Ordering::Release);
        }
        slot.state = SlotState::Present;
        slot.verified = fingerprint(&stamp);
        if let Some(lease) = lease
            && lease.hold(id)
        {
            slot.leases += 1;
        }
    }

    /// Size in bytes, 0 for what is not to be had; what is found is put under the lease.
    pub(super) fn size(&self, hash: &Hash, lease: Option<&Lease>) -> u64 {
        let number = Table::shard_of(hash);
        let Some(lease) = lease else {
            let shard = self.shards[number].read();
            let slot = shard.find(hash).and_then(|place| shard.slots.get(place as usize));
            return slot
                .filter(|slot| slot.state == SlotState::Present)
                .map_or(0, |slot| slot.size);
        };
        let mut shard = self.shards[number].write();
        let Some(place) = shard.find(hash) else { return 0 };
        match shard.slot(place as usize) {
            Some(slot) if slot.state == SlotState::Present => {
                if lease.hold(ObjectId::new(number, place)) {
                    slot.leases += 1;
                }
                slot.size
            }
            _ => 0,
        }
    }

    /// Whether an object is to be had.
    pub(crate) fn has(&self, hash: &Hash) -> bool {
        self.size(hash, None) != 0
    }

    /// Looks an object up that is not being deleted.
    pub(super) fn find(&self, hash: &Hash) -> Option<Found> {
        let number = Table::shard_of(hash);
        let shard = self.shards[number].read();
        let place = shard.find(hash)?;
        let slot = shard.slots.get(place as usize)?;
        matches!(slot.state, SlotState::Present | SlotState::Damaged).then(|| Found {
            id: ObjectId::new(number, place),
            size: slot.size,
            verified: slot.verified,
            damaged: slot.state == SlotState::Damaged,
        })
    }

    /// The object of this name, if it is to be had.
    pub(crate) fn id(&self, hash: &Hash) -> Option<ObjectId> {
        self.find(hash)
            .filter(|found| !found.damaged)
            .map(|found| found.id)
    }

    /// The object of this name, damaged or not.
    pub(crate) fn known_id(&self, hash: &Hash) -> Option<ObjectId> {
        self.find(hash).map(|found| found.id)
    }

    /// Name and size of an object somebody holds on to.
    pub(crate) fn resolve(&self, id: ObjectId) -> Option<(Hash, u64)> {
        let shard = self.shards[id.shard()].read();
        let slot = shard.slots.get(id.place())?;
        (slot.state != SlotState::Vacant).then_some((slot.hash, slot.size))
    }

    /// Adds references to an object that is present; its id if it is. `or_damaged`: a damaged one counts as well, for
    /// images that need it already.
    pub(crate) fn add_reference(&self, hash: &Hash, or_damaged: bool) -> Option<ObjectId> {
        let number = Table::shard_of(hash);
        let mut shard = self.shards[number].write();
        let place = shard.find(hash)?;
        let slot = shard.slot(place as usize)?;
        match slot.state {
            SlotState::Present => {}
            SlotState::Damaged if or_damaged => {}
            _ => return None,
        }
        slot.references += 1;
        self.totals.reference_added(slot.size, slot.references == 1);
        if slot.references == 1 {
            self.unreferenced.remove(slot.sequence);
            slot.sequence = 0;
        }
        Some(ObjectId::new(number, place))
    }

    /// Takes one reference away; the object enters the queue with its last one.
    pub(super) fn drop_reference(&self, id: ObjectId) {
        let (mut shard, place) = self.shard(id);
        let Some(slot) = shard.slot(place).filter(|slot| slot.references > 0) else {
            return;
        };
        slot.references -= 1;
        self.totals.reference_dropped(slot.size, slot.references == 0);
        if slot.references == 0 {
            slot.sequence = self.unreferenced.push(id);
        }
    }

    /// Remembers that the file with this stamp has the right bytes. If the stamp had not settled only that it had them: whoever
    /// reads it next looks again. True if it counted as damaged before.
    pub(super) fn set_verified(&self, hash: &Hash, stamp: &Stamp, settled: bool) -> bool {
        let mut was_damaged = false;
        self.change(hash, |slot, totals| {
            if slot.state == SlotState::Damaged {
                slot.state = SlotState::Present;
                totals.damaged_repaired();
                was_damaged = true;
            }
            if slot.size != stamp.size {
                // It had another length when the process began, and somebody put that right.
                totals.size_changed(slot.size, stamp.size, slot.references);
                slot.size = stamp.size;
            }
            slot.verified = if settled { fingerprint(stamp) } else { 0 };
        });
        if was_damaged {
            self.changes.fetch_add(1, Ordering::Release);
        }
        was_damaged
    }

    /// Remembers that the file has wrong bytes, or none that can be read. True if that is news.
    pub(super) fn set_damaged(&self, hash: &Hash) -> bool {
        let mut news = false;
        self.change(hash, |slot, totals| {
            if slot.state == SlotState::Present {
                slot.state = SlotState::Damaged;
                slot.verified = 0;
                totals.damaged_found();
                news = true;
            }
        });
        news
    }

    fn change(&self, hash: &Hash, change: impl FnOnce(&mut Slot, &Totals)) {
        let mut shard = self.shards[Table::shard_of(hash)].write();
        if let Some(place) = shard.find(hash)
            && let Some(slot) = shard.slot(place as usize)
        {
            change(slot, &self.totals);
        }
    }

    /// Ends a lease's hold, leaving its protection behind.
    pub(super) fn end_hold(&self, id: ObjectId, linger: Duration) {
        let until = if linger.is_zero() {
            0
        } else {
            self.ticks(Instant::now() + linger) + 1
        };
        let (mut shard, place) = self.shard(id);
        if let Some(slot) = shard.slot(place) {
            slot.leases = slot.leases.saturating_sub(1);
            slot.protected_until = slot.protected_until.max(until);
        }
    }

    /// Marks an object that may be deleted; its name and size if it may.
    pub(super) fn begin_delete(&self, id: ObjectId, sequence: u64) -> Option<(Hash, u64)> {
        let now = self.ticks(Instant::now());
        let (mut shard, place) = self.shard(id);
        let slot = shard.slot(place)?;
        let free = matches!(slot.state, SlotState::Present | SlotState::Damaged)
            && slot.references == 0
            // Else it was referenced and dropped again meanwhile: its turn comes later.
            && slot.sequence == sequence
            && slot.is_unprotected(now);
        if !free {
            return None;
        }
        if slot.state == SlotState::Damaged {
            self.totals.damaged_repaired();
        }
        slot.state = SlotState::Deleting;
        Some((slot.hash, slot.size))
    }

    /// The file is gone.
    pub(super) fn finish_delete(&self, id: ObjectId) {
        let (mut shard, place) = self.shard(id);
        if let Some(slot) = shard.slot(place) {
            self.unreferenced.remove(slot.sequence);
            self.totals.object_removed(slot.size);
            self.changes.fetch_add(1, Ordering::Release);
            shard.remove(place);
        }
    }

    /// The file could not be removed.
    pub(super) fn cancel_delete(&self, id: ObjectId) {
        let (mut shard, place) = self.shard(id);
        if let Some(slot) = shard.slot(place) {
            slot.state = SlotState::Present;
            slot.verified = 0;
        }
    }

    /// Tenths of a second since the start: 13 years of them fit.
    pub(super) fn ticks(&self, at: Instant) -> u32 {
        u32::try_from(at.saturating_duration_since(self.start).as_millis() / 100).unwrap_or(u32::MAX - 1)
    }
}

/// 64 bits for a stamp, never 0. Two stamps of one file agree by accident once in 2^64: less likely than damage that
/// keeps size, ctime and inode.
pub(super) fn fingerprint(stamp: &Stamp) -> u64 {
    let mix = |value: u64| {
        let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    };
    let all = mix(mix(mix(stamp.size) ^ stamp.inode) ^ stamp.ctime_ns.cast_unsigned());
    all.max(1)
}
