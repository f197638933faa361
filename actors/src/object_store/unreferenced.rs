//! The queue of unreferenced objects, in the order in which they became so (`imageserver.md §6.8`).

use super::ObjectId;
use parking_lot::Mutex;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Unreferenced {
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// The last number given out; 0 means "not in the queue".
    last: u64,
    by_sequence: BTreeMap<u64, ObjectId>,
}

impl Unreferenced {
    /// Appends; returns the place.
    pub(super) fn push(&self, id: ObjectId) -> u64 {
        let mut queue = self.queue.lock();
        queue.last += 1;
        let sequence = queue.last;
        queue.by_sequence.insert(sequence, id);
        sequence
    }

    pub(super) fn remove(&self, sequence: u64) {
        if sequence != 0 {
            self.queue.lock().by_sequence.remove(&sequence);
        }
    }

    /// Up to `limit` entries that come after `sequence`.
    pub(super) fn after(&self, sequence: u64, limit: usize) -> Vec<(u64, ObjectId)> {
        let queue = self.queue.lock();
        queue
            .by_sequence
            .range(sequence + 1..)
            .take(limit)
            .map(|(at, id)| (*at, *id))
            .collect()
    }

    pub(super) fn all(&self) -> Vec<ObjectId> {
        self.queue.lock().by_sequence.values().copied().collect()
    }
}
