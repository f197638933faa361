//! Deleting unreferenced objects, a slice at a time, on the writer's thread.

use super::{ObjectError, Shared};
use crate::handle::Request;
use image::deletion::Goal;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

/// Objects looked at before commits get their turn: about 10 ms.
const SLICE_OBJECTS: usize = 256;

/// Delete at least so much (`imageserver.md §3.8`).
pub(crate) struct DeleteUnreferenced {
    pub(super) percentage: u8,
    pub(super) bytes: u64,
}

impl Request for DeleteUnreferenced {
    type Reply = Result<(), ObjectError>;
}

/// A deletion under way.
#[derive(Debug)]
pub(super) struct Deletion {
    /// Everything up to this place in the queue was looked at.
    sequence: u64,
    /// Of the objects that may be deleted when it begins.
    percentage: u8,
    pub(super) wanted_bytes: u64,
    /// What both come to, once it has begun.
    goal: Option<Goal>,
    pub(super) deleted_objects: u64,
    pub(super) deleted_bytes: u64,
    pub(super) origin: Origin,
}

/// Who wants it.
#[derive(Debug)]
pub(super) enum Origin {
    Caller(oneshot::Sender<Result<(), ObjectError>>),
    Collector,
}

impl Deletion {
    pub(super) fn new(percentage: u8, wanted_bytes: u64, origin: Origin) -> Deletion {
        Deletion {
            sequence: 0,
            percentage,
            wanted_bytes,
            goal: None,
            deleted_objects: 0,
            deleted_bytes: 0,
            origin,
        }
    }

    /// Counting takes a walk over the queue: done once, and only where a share of it is wanted.
    fn goal(&mut self, shared: &Shared) -> Goal {
        let (percentage, bytes) = (self.percentage, self.wanted_bytes);
        *self.goal.get_or_insert_with(|| {
            let unreferenced = match percentage {
                0 => 0,
                _ => shared.table.unreferenced().len() as u64,
            };
            Goal::new(percentage, bytes, unreferenced)
        })
    }

    fn is_satisfied(&self, goal: Goal) -> bool {
        goal.is_reached(self.deleted_objects, self.deleted_bytes)
    }

    /// One slice. `None` while there is more to do, else the end. Blocks.
    pub(super) fn run_slice(&mut self, shared: &Shared) -> Option<Result<(), ObjectError>> {
        let unknown = shared.unknown_images.load(Ordering::Acquire);
        if unknown > 0 {
            return Some(Err(ObjectError::ReferencesUnknown(unknown)));
        }
        let goal = self.goal(shared);
        if self.is_satisfied(goal) {
            return Some(Ok(()));
        }
        let candidates = shared.table.unreferenced.after(self.sequence, SLICE_OBJECTS);
        if candidates.is_empty() {
            return Some(Err(ObjectError::NoMoreObjects));
        }
        for (sequence, id) in candidates {
            self.sequence = sequence;
            let marked = shared
                .ledger
                .undisturbed_by_recount(|| shared.table.begin_delete(id, sequence));
            // Referenced meanwhile, or under a lease.
            let Some((hash, size)) = marked else { continue };
            if let Err(error) = shared.backend.delete(&hash) {
                shared.table.cancel_delete(id);
                return Some(Err(error.into()));
            }
            shared.table.finish_delete(id);
            self.deleted_objects += 1;
            self.deleted_bytes += size;
            if self.is_satisfied(goal) {
                return Some(Ok(()));
            }
        }
        None
    }
}
