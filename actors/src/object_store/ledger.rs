//! References of images, exact under concurrency and restarts.
//!
//! An image takes its references before its file is written and is published after; a crash of the actors in between
//! must neither lose nor leak them. So each taking is a [`Ticket`] with a generation, and at any moment an image's
//! references are accounted for in exactly one place: by its open ticket, or by the published snapshot. The step from
//! one to the other ([`Ledger::settle`]) and the step out of the snapshot ([`Ledger::release`]) happen under a shared
//! lock; a recount takes it exclusively and sums both.

use super::{ObjectError, ObjectId, Table};
use hash::Hash;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// References of an image, in the runs it shares with others.
pub(crate) type References = Arc<[Arc<[ObjectId]>]>;

pub(crate) struct Ledger {
    table: Arc<Table>,
    gate: RwLock<()>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    generation: u64,
    tickets: BTreeMap<u64, Arc<[ObjectId]>>,
}

/// References that were taken and are not published. Dropping it gives them back.
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    generation: u64,
    objects: Arc<[ObjectId]>,
    settled: bool,
}

/// Objects that are not to be had, each once, in the order of the request.
#[derive(Debug, Clone)]
pub(crate) struct Missing(pub(crate) Vec<Hash>);

impl From<Missing> for ObjectError {
    fn from(missing: Missing) -> Self {
        match missing.0.as_slice() {
            [hash] => ObjectError::NotAvailable(*hash),
            many => ObjectError::ManyNotAvailable(many.len()),
        }
    }
}

impl Ledger {
    pub(crate) fn new(table: Arc<Table>) -> Arc<Ledger> {
        Arc::new(Ledger {
            table,
            gate: RwLock::default(),
            open: Mutex::default(),
        })
    }

    /// Takes one reference per occurrence, all or none.
    pub(crate) fn take(self: &Arc<Ledger>, hashes: &[Hash]) -> Result<Ticket, Missing> {
        let (ticket, missing) = self.take_some(hashes, false);
        if missing.0.is_empty() {
            Ok(ticket)
        } else {
            Err(missing)
        }
    }

    /// Takes what there is, damaged ones included: for an image that exists and has lost objects, whose others must not
    /// be collected as well.
    pub(crate) fn take_present(self: &Arc<Ledger>, hashes: &[Hash]) -> (Ticket, Missing) {
        self.take_some(hashes, true)
    }

    fn take_some(self: &Arc<Ledger>, hashes: &[Hash], or_damaged: bool) -> (Ticket, Missing) {
        let _gate = self.gate.read();
        let mut objects = Vec::with_capacity(hashes.len());
        let mut missing = Vec::new();
        let mut seen = HashSet::new();
        for hash in hashes {
            match self.table.add_reference(hash, or_damaged) {
                Some(id) => objects.push(id),
                None if seen.insert(*hash) => missing.push(*hash),
                None => {}
            }
        }
        let objects: Arc<[ObjectId]> = objects.into();
        let mut open = self.open.lock();
        open.generation += 1;
        let generation = open.generation;
        open.tickets.insert(generation, objects.clone());
        (
            Ticket {
                ledger: self.clone(),
                generation,
                objects,
                settled: false,
            },
            Missing(missing),
        )
    }

    /// Publishes the image the ticket was taken for: `publish` stores the snapshot that has it, and returns the objects of
    /// the entry it replaced, if it did. The references of that one go in the same step.
    pub(crate) fn settle(&self, mut ticket: Ticket, publish: impl FnOnce() -> Option<References>) {
        let _gate = self.gate.read();
        let replaced = publish();
        self.open.lock().tickets.remove(&ticket.generation);
        ticket.settled = true;
        self.drop_references(replaced);
    }

    /// Gives up an image's references: `unpublish` stores the snapshot without it and returns its objects.
    pub(crate) fn release(&self, unpublish: impl FnOnce() -> Option<References>) {
        let _gate = self.gate.read();
        self.drop_references(unpublish());
    }

    fn drop_references(&self, objects: Option<References>) {
        for id in objects
            .iter()
            .flat_map(|runs| runs.iter())
            .flat_map(|run| run.iter())
        {
            self.table.drop_reference(*id);
        }
    }

    /// Counts all references anew: from the snapshot's images, whose runs `published` gives each with how many images
    /// have it, and from the open tickets.
    pub(crate) fn rebuild(&self, published: impl FnOnce() -> Vec<(Arc<[ObjectId]>, u64)>) {
        let _gate = self.gate.write();
        let mut lists = published();
        let open = self.open.lock();
        lists.extend(open.tickets.values().map(|objects| (objects.clone(), 1)));
        drop(open);
        self.table
            .recount(&mut lists.iter().map(|(list, times)| (&**list, *times)));
    }

    /// No reference changes while this runs: for marking objects to be deleted.
    pub(super) fn undisturbed_by_recount<T>(&self, work: impl FnOnce() -> T) -> T {
        let _gate = self.gate.read();
        work()
    }
}

impl Ticket {
    /// The objects, one id per occurrence.
    pub(crate) fn objects(&self) -> &Arc<[ObjectId]> {
        &self.objects
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let _gate = self.ledger.gate.read();
        if self.ledger.open.lock().tickets.remove(&self.generation).is_some() {
            for id in self.objects.iter() {
                self.ledger.table.drop_reference(*id);
            }
        }
    }
}
