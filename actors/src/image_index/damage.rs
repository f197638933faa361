//! What is damaged, and what that means: for pages, tools and people.

use super::entry::{EntryState, ImageEntry};
use super::{IndexError, IndexSnapshot, Shared};
use crate::object_store::Damage;
use gob::Time;
use hash::Hash;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Names of affected images that are listed for one object; further ones are counted.
const AFFECTED_LISTED: usize = 100;

/// Everything that is known to be damaged.
#[derive(Debug, Clone, Default)]
pub struct DamageReport {
    /// Quarantined images by name.
    pub images: Vec<DamagedImage>,
    /// Objects that are damaged, or that a quarantined image needs and are not there, by hash.
    pub objects: Vec<DamagedObject>,
}

/// An image that cannot be used and keeps its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedImage {
    /// Its name, which is also that of its file in the image directory.
    pub name: Arc<str>,
    /// What is wrong with it.
    pub cause: String,
    /// Since when this process knows.
    pub since: Time,
    /// What to do about it.
    pub remedy: String,
}

/// An object that is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedObject {
    /// Name.
    pub hash: Hash,
    /// Where its file is in the object directory.
    pub file: String,
    /// What is wrong with it.
    pub cause: String,
    /// Since when this process knows.
    pub since: Time,
    /// Images that need it, the first of them by name.
    pub images: Vec<Arc<str>>,
    /// How many need it.
    pub affected_images: u64,
    /// What to do about it.
    pub remedy: String,
}

/// What makes an object right again.
const OBJECT_REMEDY: &str =
    "add the same content again, with any image or by itself: that repairs it at once";

impl ImageEntry {
    /// What to do about an image that is quarantined; empty for one that is not.
    pub fn remedy(&self) -> String {
        let name = &self.name;
        let delete = format!("or give it up with `imagetool delete {name}`");
        match (&self.state, self.missing_objects().is_empty()) {
            (EntryState::Present, _) => String::new(),
            (_, false) => format!(
                "add the contents it misses again, with any image that has them: it then comes back by itself; {delete}"
            ),
            (_, true) => format!(
                "put a good copy of its file, from a replica or a backup, at {name} in the image directory: it is taken up by itself; {delete}"
            ),
        }
    }
}

/// Looks through the lists of all images if an object is damaged, which takes about 10 ms per million references. Blocks.
pub(super) fn report(shared: &Shared) -> DamageReport {
    let snapshot = shared.snapshot.load();
    let mut objects: BTreeMap<Hash, DamagedObject> = BTreeMap::new();
    for Damage { hash, cause, since } in shared.objects.damages() {
        objects.insert(hash, damaged_object(hash, cause, since.into()));
    }
    affected(&snapshot, shared, &mut objects);
    let mut images = Vec::new();
    for entry in snapshot.quarantined.values() {
        let EntryState::Quarantined(cause) = &entry.state else {
            continue;
        };
        let since = entry.quarantined_since();
        images.push(DamagedImage {
            name: entry.name.clone(),
            cause: cause.clone(),
            since,
            remedy: entry.remedy(),
        });
        let missing = entry.missing_objects().iter();
        for hash in missing.filter(|hash| shared.objects.table.known_id(hash).is_none()) {
            let object = objects
                .entry(*hash)
                .or_insert_with(|| damaged_object(*hash, "its file is gone".to_owned(), since));
            needed_by(object, entry);
        }
    }
    DamageReport {
        images,
        objects: objects.into_values().collect(),
    }
}

fn damaged_object(hash: Hash, cause: String, since: Time) -> DamagedObject {
    DamagedObject {
        hash,
        file: storage::object_place(&hash),
        cause,
        since,
        images: Vec::new(),
        affected_images: 0,
        remedy: OBJECT_REMEDY.to_owned(),
    }
}

fn affected(snapshot: &IndexSnapshot, shared: &Shared, objects: &mut BTreeMap<Hash, DamagedObject>) {
    let table = &shared.objects.table;
    let by_id: HashMap<_, _> = objects
        .keys()
        .filter_map(|hash| Some((table.known_id(hash)?, *hash)))
        .collect();
    if by_id.is_empty() {
        return;
    }
    for entry in snapshot.images.values() {
        let mut needed: Vec<Hash> = entry
            .objects
            .runs()
            .iter()
            .flat_map(|run| run.iter())
            .filter_map(|id| by_id.get(id))
            .copied()
            .collect();
        needed.sort_unstable();
        needed.dedup();
        for hash in needed {
            if let Some(object) = objects.get_mut(&hash) {
                needed_by(object, entry);
            }
        }
    }
}

fn needed_by(object: &mut DamagedObject, entry: &ImageEntry) {
    object.affected_images += 1;
    if object.images.len() < AFFECTED_LISTED {
        object.images.push(entry.name.clone());
    }
}

/// The report, made on the pool.
pub(super) async fn report_on_pool(shared: &Arc<Shared>) -> Result<DamageReport, IndexError> {
    let pool_shared = shared.clone();
    Ok(shared.pool.run(move || report(&pool_shared)).await?)
}
