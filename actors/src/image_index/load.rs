//! Loading images from disk: at the start, after a restart of the actor, on request.

use super::codec::{decode_image, decode_metadata};
use super::entry::{DirectoryEntry, EntryState, ImageEntry};
use super::{IndexError, Shared, saved};
use crate::StartReport;
use crate::object_store::{ObjectError, Ticket};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use storage::{ImageFile, IndexUse, Stamp, StorageError};

/// What became of one image file.
pub(super) enum Loaded {
    /// An entry and the references it holds.
    Entry(Box<ImageEntry>, Ticket),
    /// It had expired and was removed.
    Expired,
    /// It is a tombstone: it was deleted meanwhile.
    Deleted,
    /// There is no file, and nobody is known to have asked for that.
    Lost,
}

/// Loads everything; for the start, before there is an actor. A damaged image is quarantined and the rest served: the
/// original refuses to start. A directory that cannot be *listed* ends the start: nobody knows which images it has, so their
/// objects would be deleted as needed by nobody, and replicas would delete what is not announced.
pub(crate) fn load(shared: &Shared, report: &mut StartReport) -> Result<(), StorageError> {
    let start = Instant::now();
    let mut listing = shared.directory.list(true)?;
    for name in &listing.temporaries_removed {
        tracing::warn!("removed the rest of an unfinished write of image: {name}");
    }
    for name in &listing.strays {
        tracing::warn!("not an image name, left alone: {name}");
    }
    for error in &listing.failed {
        tracing::error!("image directory: {error}");
    }
    if let Some(error) = listing.failed.first() {
        return Err(error.clone());
    }
    let directories: Vec<_> = listing
        .directories
        .iter()
        .map(|name| directory(shared, name))
        .collect();
    let known = from_index(shared, &mut listing.images, report);
    let loaded = load_all(shared, &listing.images);
    report.images_decoded = loaded.len() as u64;
    let mut tickets = Vec::with_capacity(loaded.len());
    shared.publish(|snapshot| {
        for entry in directories {
            snapshot.directories.insert(entry.name.clone(), Arc::new(entry));
        }
        for entry in known {
            snapshot.insert_image(Arc::new(entry));
        }
        for loaded in loaded {
            if let Loaded::Entry(entry, ticket) = loaded {
                snapshot.insert_image(Arc::from(entry));
                tickets.push(ticket);
            }
        }
    });
    // Nobody recounts yet, so settling after publishing is as good.
    for ticket in tickets {
        shared.objects.ledger.settle(ticket, || None);
    }
    let snapshot = shared.snapshot.load();
    if report.images_from_index > 0 {
        // Those have no references yet. Counting all anew is cheap: what images have in common is counted once.
        shared.objects.ledger.rebuild(|| snapshot.runs());
    }
    let count = snapshot.images.len();
    tracing::info!(
        "Loaded {count} {} in {} ({} from the index)",
        if count == 1 { "image" } else { "images" },
        took(start),
        report.images_from_index,
    );
    Ok(())
}

/// Entries of the images that need not be decoded; `files` keeps the others.
fn from_index(shared: &Shared, files: &mut Vec<ImageFile>, report: &mut StartReport) -> Vec<ImageEntry> {
    let restored = match shared.directory.read_index() {
        Ok(None) => return Vec::new(),
        Ok(Some(content)) => saved::restore(shared, &content, files).map_err(|refused| refused.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let known = match restored {
        Ok(known) => known,
        Err(cause) => {
            tracing::warn!("the index of images is not used, all of them are read: {cause}");
            report.image_index = IndexUse::Refused(cause);
            return Vec::new();
        }
    };
    report.image_index = IndexUse::Used;
    report.images_from_index = known.len() as u64;
    let names: HashSet<&str> = known.iter().map(|entry| &*entry.name).collect();
    files.retain(|file| !names.contains(file.name.as_str()));
    known
}

/// A time as log lines have it, to the millisecond.
pub(crate) fn took(start: Instant) -> String {
    let elapsed = start.elapsed();
    human::go_duration(std::time::Duration::from_micros(
        u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
    ))
}

/// Loads files on all cores.
pub(super) fn load_all(shared: &Shared, files: &[ImageFile]) -> Vec<Loaded> {
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(files.len());
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::with_capacity(files.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let loaded = load_one(shared, &file.name, file.stamp);
                    all.lock().unwrap_or_else(PoisonError::into_inner).push(loaded);
                }
            });
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Loads one image file. What cannot be used is quarantined: the entry keeps its name.
pub(super) fn load_one(shared: &Shared, name: &str, stamp: Stamp) -> Loaded {
    let unknown = |cause: String| {
        tracing::warn!("image {name} is quarantined: {cause}");
        let entry = ImageEntry::unknown(shared, name, cause, stamp);
        Loaded::Entry(Box::new(entry), shared.objects.ledger.take_present(&[]).0)
    };
    if let Err(error) = image::name::check_stored(name) {
        return unknown(format!("bad name: {error}"));
    }
    // Before it is read: see `Stamp::is_settled`.
    let clock_ns = shared.directory.clock_ns().ok();
    let (content, stamp) = match shared.directory.read(name) {
        Ok(read) => read,
        Err(StorageError::Tombstone { .. }) => return Loaded::Deleted,
        Err(StorageError::NotFound { .. }) => return Loaded::Lost,
        Err(error) => return unknown(error.to_string()),
    };
    let (image, checksum) = match decode_image(name, &content) {
        Ok(decoded) => decoded,
        Err(IndexError::Damaged { cause, .. }) => return unknown(format!("its file is damaged: {cause}")),
        Err(error) => return unknown(error.to_string()),
    };
    drop(content);
    if !image.expires_at.is_zero() && image.expires_at <= shared.clock.now() {
        tracing::info!("Auto expiring (deleting) image: {name}");
        return match shared.directory.remove(name) {
            Ok(()) => Loaded::Expired,
            Err(error) => unknown(format!("it has expired and cannot be removed: {error}")),
        };
    }
    let hashes: Vec<_> = image::objects::references(&image).map(|(hash, _)| hash).collect();
    let (ticket, missing) = shared.objects.ledger.take_present(&hashes);
    let verified = match &image.file_system {
        Some(tree) => image::verify::tree(tree).map_err(|error| error.to_string()),
        None => Err("it has no file-system".to_owned()),
    };
    let cause = match verified {
        Err(cause) => Some(cause),
        Ok(()) if !missing.0.is_empty() => Some(ObjectError::from(missing.clone()).to_string()),
        Ok(()) => None,
    };
    let missing = missing.0;
    let mut entry = ImageEntry::new(shared, name, image, checksum, stamp, ticket.objects());
    entry.settled = clock_ns.is_some_and(|clock_ns| stamp.is_settled(clock_ns));
    if let Some(cause) = cause {
        tracing::warn!("image {name} is quarantined: {cause}");
        entry = entry.quarantined(cause, missing, shared.clock.now());
    }
    Loaded::Entry(Box::new(entry), ticket)
}

/// A directory with its metadata. If that cannot be read nobody gets rights from it; the original refuses to start.
pub(super) fn directory(shared: &Shared, name: &str) -> DirectoryEntry {
    let metadata = match shared.directory.read_metadata(name) {
        Ok(None) => return DirectoryEntry::new(name, ""),
        Ok(Some(content)) => decode_metadata(&content),
        Err(error) => Err(error.to_string()),
    };
    match metadata {
        Ok(metadata) => DirectoryEntry::new(name, &metadata.owner_group),
        Err(cause) => {
            let cause = format!("unable to read directory metadata for {name:?}: {cause}");
            tracing::warn!("{cause}; the directory belongs to no group until its owner is set again");
            DirectoryEntry {
                state: EntryState::Quarantined(cause),
                ..DirectoryEntry::new(name, "")
            }
        }
    }
}
