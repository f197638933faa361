//! What the table keeps of an object, and a shard of it: a slab of slots with an index of their places.

use hash::Hash;
use hashbrown::HashTable;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotState {
    /// Free for another object.
    Vacant,
    Present,
    /// The stored bytes are wrong or cannot be read. Still referenced by whoever needs it, served to nobody.
    Damaged,
    /// On its way out: marked under the lock before the file is unlinked, so that nobody can start to rely on it.
    Deleting,
}

pub(super) struct Slot {
    pub(super) hash: Hash,
    pub(super) size: u64,
    /// Occurrences over all images (`imageserver.md §6.8`).
    pub(super) references: u64,
    /// Place in the queue of unreferenced objects, 0 if it is not in there.
    pub(super) sequence: u64,
    /// Fingerprint of the stamp the file had when its bytes were found right, 0 if they never were.
    pub(super) verified: u64,
    /// Leases that hold it.
    pub(super) leases: u32,
    /// Ticks since the start until which an ended lease protects it.
    pub(super) protected_until: u32,
    pub(super) state: SlotState,
}

impl Slot {
    /// No connection counts on it, nor did one within the lease.
    pub(super) fn is_unprotected(&self, now: u32) -> bool {
        self.leases == 0 && self.protected_until <= now
    }
}

#[derive(Default)]
pub(super) struct Shard {
    index: HashTable<u32>,
    pub(super) slots: Vec<Slot>,
    free: Vec<u32>,
}

/// Key of the index. The first byte chose the shard; any other eight are as good as random.
fn key(hash: &Hash) -> u64 {
    hash.as_bytes()[8..16]
        .iter()
        .fold(0, |key, byte| (key << 8) | u64::from(*byte))
}

impl Shard {
    pub(super) fn find(&self, hash: &Hash) -> Option<u32> {
        self.index
            .find(key(hash), |place| self.slots[*place as usize].hash == *hash)
            .copied()
    }

    pub(super) fn slot(&mut self, place: usize) -> Option<&mut Slot> {
        self.slots
            .get_mut(place)
            .filter(|slot| slot.state != SlotState::Vacant)
    }

    /// Puts a new object in, unreferenced and not in the queue. `None` if 16 million objects share this shard.
    pub(super) fn insert(&mut self, hash: Hash, size: u64) -> Option<u32> {
        let slot = Slot {
            hash,
            size,
            references: 0,
            sequence: 0,
            verified: 0,
            leases: 0,
            protected_until: 0,
            state: SlotState::Present,
        };
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = slot;
                place
            }
            None => {
                let place = u32::try_from(self.slots.len())
                    .ok()
                    .filter(|place| *place < 1 << 24)?;
                self.slots.push(slot);
                place
            }
        };
        let slots = &self.slots;
        self.index
            .insert_unique(key(&hash), place, |place| key(&slots[*place as usize].hash));
        Some(place)
    }

    pub(super) fn remove(&mut self, place: usize) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        slot.state = SlotState::Vacant;
        let hash = slot.hash;
        // The place was found through the slab, so both conversions hold.
        if let Ok(entry) = self
            .index
            .find_entry(key(&hash), |found| *found as usize == place)
        {
            entry.remove();
        }
        self.free.push(place as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_as_small_as_the_comment_says() {
        assert_eq!(size_of::<Slot>(), 112);
    }
}
