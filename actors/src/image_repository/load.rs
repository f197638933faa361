//! Reading everything at the start.

use super::known::KnownRecord;
use super::upload::KEPT;
use super::{Result, Shared, agree, plan, read, saved};
use repository::catalogue::{Catalogue, Entry};
use repository::{Uuid, layout};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// What a start found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryReport {
    /// Images.
    pub images: usize,
    /// Of these, images whose records had to be read, because the index did not have them as they are.
    pub read: usize,
    /// Files that are left alone, because they are no records.
    pub problems: usize,
    /// Changes that an earlier run had begun, and that are done now.
    pub recovered: usize,
    /// Uploads that an earlier run left, and that are removed now.
    pub leftovers: usize,
    /// How long it took.
    pub took: Duration,
}

impl RepositoryReport {
    /// Whether the index had everything.
    pub(super) fn is_from_index(&self) -> bool {
        self.read == 0 && self.problems == 0
    }
}

/// Carries out what was begun, removes what was left, reads all records. Blocks.
///
/// # Errors
/// The directory cannot be read or written.
pub(super) fn load(shared: &Shared) -> Result<RepositoryReport> {
    let start = Instant::now();
    // First: leftovers of records take room that carrying on may need.
    shared.directory.remove_temporaries(layout::MANIFESTS)?;
    let recovered = plan::recover(shared)?;
    let mut known = shared.known.lock();
    let (there, problems) = agree::listing(shared)?;
    let now_ns = shared.directory.clock_ns()?;
    let indexed = saved::load(shared, &there);
    for image in &indexed {
        saved::adopt(&mut known, image);
    }
    let mut rest: Vec<Uuid> = there
        .keys()
        .filter(|uuid| !known.records.contains_key(uuid))
        .copied()
        .collect();
    // Neighbours on the disk, more likely than not.
    rest.sort_unstable_by_key(|uuid| there.get(uuid).map(|stamp| stamp.inode));
    let (read, bad) = read::records(shared, &rest)?;
    for image in &read {
        let uuid = image.entry.uuid();
        let record = KnownRecord {
            stamp: image.stamp,
            revision: image.revision,
            is_settled: image.stamp.is_settled(now_ns),
        };
        known.records.insert(uuid, record);
        known.unarchived.insert(uuid);
    }
    known.unreadable.extend(bad.iter().map(|(uuid, _)| *uuid));
    agree::tell(shared, problems, bad);
    let problems = shared.problems.load().len();
    let from_index = indexed.into_iter().map(|image| image.entry);
    let read_count = read.len();
    let entries: Vec<Entry> = from_index
        .chain(read.into_iter().map(|image| image.entry))
        .collect();
    let catalogue = Catalogue::of_entries(entries);
    let leftovers = remove_leftovers(shared, &catalogue)?;
    let report = RepositoryReport {
        images: catalogue.len(),
        read: read_count,
        problems,
        recovered,
        leftovers,
        took: start.elapsed(),
    };
    shared.publish(&mut known, catalogue, []);
    Ok(report)
}

/// Removes uploads that nobody can go on with. Gives how many.
fn remove_leftovers(shared: &Shared, catalogue: &Catalogue) -> Result<usize> {
    let found = shared.files.list(layout::UPLOADS)?;
    let mut seen: HashSet<String> = HashSet::new();
    for found in found.into_iter().filter(|found| !found.is_directory) {
        let is_wanted = layout::upload_of(&found.name)
            .is_some_and(|(uuid, upload)| upload == KEPT && catalogue.get(uuid).is_some());
        if !is_wanted {
            seen.insert(format!("{}/{}", layout::UPLOADS, found.name));
        }
    }
    for name in &seen {
        shared.files.remove(name)?;
    }
    Ok(seen.len())
}
