//! The objects of an image, compact: 4 bytes a reference, and what images have in common kept once.
//!
//! A list is cut into runs at places that depend on the objects alone (their hashes), so two images that differ in a few
//! files share all runs but those around the difference. 10,000 images of 5,300 objects each, most of them shared, take
//! 15 MB instead of 212.

use crate::object_store::{ObjectId, References, Table};
use hash::Hash;
use hashbrown::HashTable;
use parking_lot::Mutex;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// References of a run at least, while there are more to come: shorter ones would cost more than they share.
const RUN_MIN: usize = 16;

/// References of a run at most.
const RUN_MAX: usize = 4096;

/// A run ends after an object whose hash's first byte has these bits clear: after 64 on average.
const CUT_MASK: u8 = 0x3f;

/// Runs in the pool before those that nobody uses any more are looked for.
const SWEEP_MIN: usize = 1024;

/// A piece of a list.
pub(crate) type Run = Arc<[ObjectId]>;

/// References of an image to objects, one per occurrence: those of the tree, then release notes and build log.
#[derive(Clone)]
pub struct ObjectList {
    runs: References,
    len: usize,
    /// References of the tree; the others come after.
    of_tree: usize,
    table: Arc<Table>,
}

/// One reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageObject {
    /// The same for the same object, within this process.
    pub key: u32,
    /// Name.
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
}

/// Runs in use, each once.
#[derive(Default)]
pub(crate) struct Runs {
    pool: Mutex<Pool>,
}

#[derive(Default)]
struct Pool {
    runs: HashTable<Run>,
    hasher: RandomState,
    sweep_at: usize,
}

impl Runs {
    /// A list of these references, of which so many are the tree's.
    pub(crate) fn list(&self, ids: &[ObjectId], of_tree: usize, table: Arc<Table>) -> ObjectList {
        let mut runs = Vec::with_capacity(ids.len() / (RUN_MIN + usize::from(CUT_MASK)) + 1);
        let mut rest = ids;
        let mut pool = self.pool.lock();
        while !rest.is_empty() {
            let (run, after) = rest.split_at(run_length(rest));
            runs.push(pool.shared(run));
            rest = after;
        }
        pool.sweep();
        drop(pool);
        ObjectList::of_runs(runs.into(), of_tree, table)
    }

    /// The one run with these references.
    pub(crate) fn run(&self, ids: &[ObjectId]) -> Run {
        self.pool.lock().shared(ids)
    }
}

impl Pool {
    fn shared(&mut self, ids: &[ObjectId]) -> Run {
        let Pool { runs, hasher, .. } = self;
        let hash = hasher.hash_one(ids);
        if let Some(run) = runs.find(hash, |run| **run == *ids) {
            return run.clone();
        }
        let run: Run = ids.into();
        runs.insert_unique(hash, run.clone(), |run| hasher.hash_one(&**run));
        run
    }

    /// Lets go of runs that only the pool holds, whenever it has doubled.
    fn sweep(&mut self) {
        if self.runs.len() < self.sweep_at.max(SWEEP_MIN) {
            return;
        }
        self.runs.retain(|run| Arc::strong_count(run) > 1);
        self.sweep_at = self.runs.len() * 2;
    }
}

/// Where the first run of a list ends.
fn run_length(ids: &[ObjectId]) -> usize {
    let cut = ids
        .iter()
        .take(RUN_MAX)
        .skip(RUN_MIN - 1)
        .position(|id| id.first_byte() & CUT_MASK == 0);
    cut.map_or(ids.len().min(RUN_MAX), |at| at + RUN_MIN)
}

impl ObjectList {
    /// Of runs that come from a pool.
    pub(crate) fn of_runs(runs: References, of_tree: usize, table: Arc<Table>) -> ObjectList {
        ObjectList {
            len: runs.iter().map(|run| run.len()).sum(),
            runs,
            of_tree,
            table,
        }
    }

    /// References, those of release notes and build log included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them. Right as long as the image exists; of an entry kept beyond that, objects may be absent or others.
    pub fn iter(&self) -> impl Iterator<Item = ImageObject> {
        self.resolve(self.len)
    }

    /// Those of the tree: one per regular inode that is not empty.
    pub fn of_tree(&self) -> impl Iterator<Item = ImageObject> {
        self.resolve(self.of_tree)
    }

    /// How many [`of_tree`](Self::of_tree) gives.
    pub(crate) fn of_tree_len(&self) -> usize {
        self.of_tree
    }

    pub(crate) fn runs(&self) -> &References {
        &self.runs
    }

    /// The references as numbers, without looking the objects up.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.runs.iter().flat_map(|run| run.iter()).map(|id| id.number())
    }

    /// Those whose number is wanted: only these are looked up.
    pub(super) fn iter_where(&self, wanted: impl Fn(u32) -> bool) -> impl Iterator<Item = ImageObject> {
        let ids = self.runs.iter().flat_map(|run| run.iter());
        ids.filter(move |id| wanted(id.number()))
            .filter_map(|id| self.resolve_one(*id))
    }

    /// What stands for an object in lists, if it is there.
    pub(super) fn id_of(&self, hash: &Hash) -> Option<ObjectId> {
        self.table.known_id(hash)
    }

    fn resolve_one(&self, id: ObjectId) -> Option<ImageObject> {
        let (hash, size) = self.table.resolve(id)?;
        Some(ImageObject {
            key: id.number(),
            hash,
            size,
        })
    }

    fn resolve(&self, limit: usize) -> impl Iterator<Item = ImageObject> {
        let ids = self.runs.iter().flat_map(|run| run.iter()).take(limit);
        ids.filter_map(|id| self.resolve_one(*id))
    }
}

impl std::fmt::Debug for ObjectList {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} objects", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids in some order that repeats itself.
    fn ids(count: u64, changed: Option<u64>) -> (Arc<Table>, Vec<ObjectId>) {
        let table = Arc::new(Table::new());
        let names = (0..count).map(|number| if changed == Some(number) { u64::MAX } else { number });
        let names: Vec<_> = names.map(|name| hash::of(&name.to_le_bytes())).collect();
        // All of them, so that ids are the same whatever is changed.
        for number in (0..count).chain([u64::MAX]) {
            table.insert_scanned(hash::of(&number.to_le_bytes()), 1);
        }
        let ids = names.iter().map(|name| table.add_reference(name, false).unwrap());
        let ids = ids.collect();
        (table, ids)
    }

    #[test]
    fn lists_that_differ_in_one_object_share_nearly_all_runs() {
        let runs = Runs::default();
        let (table, one) = ids(5000, None);
        let (_, other) = ids(5000, Some(2500));
        let one = runs.list(&one, 4998, table.clone());
        let other = runs.list(&other, 5000, table);
        assert_eq!(
            (one.len(), one.iter().count(), one.of_tree().count()),
            (5000, 5000, 4998)
        );
        let shared = one
            .runs()
            .iter()
            .filter(|run| other.runs().iter().any(|found| Arc::ptr_eq(run, found)));
        assert!(one.runs().len() > 40, "{}", one.runs().len());
        assert!(shared.count() + 3 >= one.runs().len());
    }

    #[test]
    fn runs_that_nobody_uses_are_let_go() {
        let runs = Runs::default();
        let (table, all) = ids(2000, None);
        for start in 0..1000 {
            drop(runs.list(&all[start..start + 1000], 0, table.clone()));
        }
        assert!(runs.pool.lock().runs.len() <= SWEEP_MIN);
    }
}
