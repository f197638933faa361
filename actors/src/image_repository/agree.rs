//! Bringing memory in agreement with the disk: at the start, after a failure, and where somebody changed a record by hand.

use super::known::{Known, KnownRecord};
use super::problem::{MAXIMUM_PROBLEMS, RecordProblem};
use super::read::{self, Found, Read};
use super::{ChangeKind, Result, Shared, plan};
use repository::catalogue::{Catalogue, Entry};
use repository::{Uuid, layout};
use std::collections::HashMap;
use std::sync::Arc;
use storage::Stamp;

/// How many changes make it cheaper to build the catalogue anew than to change it one by one.
const MANY_CHANGES: usize = 10_000;

/// Carries out what was begun, and reads what is not as it is known. Blocks.
///
/// # Errors
/// The directory cannot be read or written; it must be tried again.
pub(super) fn with_disk(shared: &Shared, known: &mut Known) -> Result<()> {
    known.must_agree = true;
    plan::recover(shared)?;
    shared.directory.remove_temporaries(layout::MANIFESTS)?;
    let (there, problems) = listing(shared)?;
    let gone: Vec<Uuid> = known
        .records
        .keys()
        .filter(|uuid| !there.contains_key(uuid))
        .copied()
        .collect();
    let is_other =
        |(uuid, stamp): &(&Uuid, &Stamp)| known.records.get(uuid).is_none_or(|known| known.stamp != **stamp);
    let other: Vec<Uuid> = there.iter().filter(is_other).map(|(uuid, _)| *uuid).collect();
    let now_ns = shared.directory.clock_ns()?;
    let (read, bad) = read::records(shared, &other)?;
    known.unreadable.clear();
    let mut events = Vec::new();
    let bad_images = bad.iter().map(|(uuid, _)| *uuid);
    for uuid in gone.into_iter().chain(bad_images) {
        if known.records.remove(&uuid).is_some() {
            events.push((uuid, ChangeKind::Deleted));
        }
    }
    known.unreadable.extend(bad.iter().map(|(uuid, _)| *uuid));
    tell(shared, problems, bad);
    let catalogue = merge(shared, known, read, now_ns, &mut events);
    known.must_agree = false;
    shared.publish(known, catalogue, events);
    Ok(())
}

/// The records there are, by their images; and what in their directory is none.
pub(super) fn listing(shared: &Shared) -> Result<(HashMap<Uuid, Stamp>, Vec<RecordProblem>)> {
    let found = shared.directory.list(layout::MANIFESTS)?;
    let mut there = HashMap::with_capacity(found.len());
    let mut problems = Vec::new();
    for found in found {
        match layout::record_uuid(&found.name) {
            Some(uuid) if !found.is_directory => {
                there.insert(uuid, found.stamp);
            }
            // Ours, or what an editor left.
            _ if found.name.starts_with('.') => {}
            _ => problems.push(RecordProblem {
                file: format!("{}/{}", layout::MANIFESTS, found.name),
                reason: "its name is not that of an image's record, UUID.raw".to_owned(),
            }),
        }
    }
    Ok((there, problems))
}

/// Says what is wrong, once.
pub(super) fn tell(shared: &Shared, mut problems: Vec<RecordProblem>, bad: Vec<(Uuid, RecordProblem)>) {
    problems.extend(bad.into_iter().map(|(_, problem)| problem));
    let before = shared.problems.load_full();
    for problem in problems.iter().filter(|problem| !before.contains(problem)) {
        tracing::warn!("{problem}");
    }
    metrics::gauge!("imgapi_bad_records").set(problems.len() as f64);
    problems.truncate(MAXIMUM_PROBLEMS);
    shared.problems.store(Arc::new(problems));
}

/// The catalogue with what was read, and without what is gone.
fn merge(
    shared: &Shared,
    known: &mut Known,
    read: Vec<Read>,
    now_ns: i64,
    events: &mut Vec<(Uuid, ChangeKind)>,
) -> Catalogue {
    let before = shared.catalogue.load_full();
    let is_first = before.is_empty() && read.len() > MANY_CHANGES;
    let mut catalogue = (*before).clone();
    for (uuid, _) in events.iter() {
        catalogue = catalogue.without(*uuid);
    }
    let mut entries: Vec<Entry> = Vec::new();
    for Read {
        entry,
        revision,
        stamp,
    } in read
    {
        let uuid = entry.uuid();
        let fresh = KnownRecord {
            stamp,
            revision,
            is_settled: stamp.is_settled(now_ns),
        };
        known.unarchived.insert(uuid);
        match known.records.insert(uuid, fresh) {
            Some(old) if old.revision == revision => continue,
            Some(_) => events.push((uuid, ChangeKind::Replaced)),
            None => events.push((uuid, ChangeKind::Created)),
        }
        if is_first {
            entries.push(entry);
        } else {
            catalogue = catalogue.with(entry);
        }
    }
    if is_first {
        catalogue = Catalogue::of_entries(entries);
    }
    catalogue
}

/// Reads the record of one image, if it is not as it is known.
pub(super) fn with_record(shared: &Shared, known: &mut Known, uuid: Uuid) -> Result<()> {
    let now_ns = shared.directory.clock_ns()?;
    let catalogue = (**shared.catalogue.load()).clone();
    match read::record(shared, uuid)? {
        Found::Record(loaded) => {
            let fresh = KnownRecord {
                stamp: loaded.stamp,
                revision: loaded.revision,
                is_settled: loaded.stamp.is_settled(now_ns),
            };
            let old = known.records.insert(uuid, fresh);
            known.unreadable.remove(&uuid);
            if old.is_some_and(|old| old.revision == loaded.revision) {
                return Ok(());
            }
            let kind = old.map_or(ChangeKind::Created, |_| ChangeKind::Replaced);
            tracing::info!(
                "{} was changed by another program and is read again",
                layout::record(uuid)
            );
            let catalogue = catalogue.with(Entry::new(&loaded.record, shared.rules.mode));
            shared.publish(known, catalogue, [(uuid, kind)]);
            shared.archive(known, &[uuid]);
        }
        Found::Problem(problem) => {
            tracing::warn!("{problem}");
            known.unreadable.insert(uuid);
            forget(shared, known, uuid, &catalogue);
        }
        Found::Nothing => forget(shared, known, uuid, &catalogue),
    }
    Ok(())
}

fn forget(shared: &Shared, known: &mut Known, uuid: Uuid, catalogue: &Catalogue) {
    if known.records.remove(&uuid).is_some() {
        shared.publish(known, catalogue.without(uuid), [(uuid, ChangeKind::Deleted)]);
    }
}
