//! Which objects are damaged, why, and since when. The table knows that they are; this remembers the rest.

use super::Shared;
use hash::Hash;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::SystemTime;

/// Damaged objects of which cause and time are kept; of further ones it is only known that they are damaged.
const KEPT: usize = 10_000;

/// A damaged object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) hash: Hash,
    /// What is wrong with it.
    pub(crate) cause: String,
    /// Since when this process knows.
    pub(crate) since: SystemTime,
}

/// Notes on damaged objects. What was repaired or deleted since is left out when they are read.
#[derive(Default)]
pub(crate) struct Damages(Mutex<HashMap<Hash, (String, SystemTime)>>);

impl Damages {
    pub(super) fn note(&self, hash: &Hash, cause: &str) {
        let mut notes = self.0.lock();
        if notes.len() < KEPT || notes.contains_key(hash) {
            notes.insert(*hash, (cause.to_owned(), SystemTime::now()));
        }
    }
}

impl Shared {
    /// Objects that are damaged now.
    pub(crate) fn damages(&self) -> Vec<Damage> {
        let mut notes = self.damages.0.lock();
        notes.retain(|hash, _| self.table.find(hash).is_some_and(|found| found.damaged));
        let all = notes.iter();
        all.map(|(hash, (cause, since))| Damage {
            hash: *hash,
            cause: cause.clone(),
            since: *since,
        })
        .collect()
    }
}
