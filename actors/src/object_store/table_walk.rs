//! What is asked of all objects of the table: their references, the unreferenced, the damaged, a walk from place to place.

use super::recheck::Place;
use super::slot::SlotState;
use super::table::{ObjectId, Table};
use hash::Hash;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Slots that are handed out together, so that a shard is not locked for long.
const SLOTS_AT_ONCE: usize = 1024;

impl Table {
    /// After the images have been loaded: what nobody refers to enters the queue, in no particular order.
    pub(crate) fn queue_unreferenced(&self) {
        for (number, shard) in self.shards.iter().enumerate() {
            for (place, slot) in shard.write().slots.iter_mut().enumerate() {
                if slot.state != SlotState::Vacant && slot.references == 0 && slot.sequence == 0 {
                    slot.sequence = self.unreferenced.push(ObjectId::new(number, place as u32));
                }
            }
        }
    }

    /// Counts all references anew, each list as often as it says. What was unreferenced before keeps its place in the
    /// queue. The caller keeps everybody else from changing references meanwhile.
    pub(super) fn recount(&self, lists: &mut dyn Iterator<Item = (&[ObjectId], u64)>) {
        let mut counts: Vec<Vec<u64>> = self
            .shards
            .iter()
            .map(|shard| vec![0; shard.read().slots.len()])
            .collect();
        for (list, times) in lists {
            for id in list {
                if let Some(count) = counts
                    .get_mut(id.shard())
                    .and_then(|shard| shard.get_mut(id.place()))
                {
                    *count += times;
                }
            }
        }
        self.totals.clear_references();
        for (number, counts) in counts.into_iter().enumerate() {
            let mut shard = self.shards[number].write();
            for (place, slot) in shard.slots.iter_mut().enumerate() {
                if slot.state == SlotState::Vacant {
                    continue;
                }
                // Added since the counts were prepared: nobody refers to it yet.
                slot.references = counts.get(place).copied().unwrap_or(0);
                self.totals.references_counted(slot.size, slot.references);
                if slot.references > 0 {
                    self.unreferenced.remove(slot.sequence);
                    slot.sequence = 0;
                } else if slot.sequence == 0 {
                    slot.sequence = self.unreferenced.push(ObjectId::new(number, place as u32));
                }
            }
        }
    }

    /// Slots of a shard from a place on with name and size of their objects, damaged ones included.
    pub(super) fn slots_from(&self, place: Place) -> Vec<(usize, Hash, u64)> {
        let shard = self.shards[place.shard].read();
        let slots = shard.slots.iter().enumerate().skip(place.slot);
        slots
            .filter(|(_, slot)| matches!(slot.state, SlotState::Present | SlotState::Damaged))
            .map(|(number, slot)| (number, slot.hash, slot.size))
            .take(SLOTS_AT_ONCE)
            .collect()
    }

    /// Damaged objects, at most so many. Looks at all of them: about 10 ms a million.
    pub(crate) fn damaged(&self, limit: usize) -> Vec<Hash> {
        let mut damaged = Vec::new();
        if self.totals.damaged_objects.load(Ordering::Relaxed) == 0 {
            return damaged;
        }
        for shard in &self.shards {
            let shard = shard.read();
            let slots = shard.slots.iter();
            damaged.extend(
                slots
                    .filter(|slot| slot.state == SlotState::Damaged)
                    .map(|slot| slot.hash),
            );
        }
        damaged.truncate(limit);
        damaged
    }

    /// The queue of unreferenced objects, oldest first, without those that a connection still counts on.
    pub(super) fn unreferenced(&self) -> Vec<(Hash, u64)> {
        let now = self.ticks(Instant::now());
        let name_and_size = |id: ObjectId| {
            let shard = self.shards[id.shard()].read();
            let slot = shard.slots.get(id.place())?;
            let listed = slot.state != SlotState::Vacant && slot.is_unprotected(now);
            listed.then_some((slot.hash, slot.size))
        };
        self.unreferenced
            .all()
            .into_iter()
            .filter_map(name_and_size)
            .collect()
    }

    /// Shows every object that is not on its way out: its name, its size in bytes, how often images need it.
    pub(super) fn for_each(&self, mut look: impl FnMut(&Hash, u64, u64)) {
        for shard in &self.shards {
            for slot in &shard.read().slots {
                if matches!(slot.state, SlotState::Present | SlotState::Damaged) {
                    look(&slot.hash, slot.size, slot.references);
                }
            }
        }
    }
}
