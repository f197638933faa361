//! Group commit.
//!
//! Order of steps, for the whole group at once (`imageserver.md §6.4`; the original flushes nothing):
//!
//! 1. the data of every temporary is flushed,
//! 2. each is linked to its final name; a name that exists is checked and, if damaged, replaced,
//! 3. the directories are flushed, newly made ones and their parents included,
//! 4. only now is anything reported.
//!
//! A crash before 3 leaves, at worst, whole objects that nobody was told about. A failed flush fails the group, and
//! what was linked for it is unlinked.

use super::place::place_of;
use super::{LocalObjects, Staged, directories::UnflushedDirectories};
use crate::error::IoContext;
use crate::resolve::proc_path;
use crate::{Committed, ObjectBackend, Result, Stamp, StorageError};
use hash::{Hash, Hasher};
use rustix::fs::{AtFlags, CWD, fdatasync, fstat, linkat, renameat, syncfs, unlinkat};
use rustix::io::Errno;
use std::collections::HashMap;
use std::io::Read;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// Up to that many objects are flushed one by one. `fdatasync` and a directory flush cost about 0.3 ms an object;
/// `syncfs` costs 1–3 ms however little there is to do, and writes back what other programs have dirty, but then takes
/// 1,000 objects for little more (measured on ext4: 3,000 files/s one by one, 9,400–14,700 in groups of 1,000).
const FLUSH_SINGLY_OBJECTS: usize = 4;

/// Buffer for reading an existing object back.
const COMPARE_BUFFER_BYTES: usize = 256 * 1024;

/// What linking one object came to.
struct Linked {
    place: String,
    newly_added: bool,
    repaired: bool,
    /// Of the file that was found, if one was.
    existing: Option<Stamp>,
}

pub(super) fn commit(objects: &LocalObjects, batch: Vec<Staged>) -> Vec<Result<Committed>> {
    if batch.is_empty() {
        return Vec::new();
    }
    // A panic while it was held leaves a list of directories that is too long, if anything.
    let mut unflushed = objects.committing.lock().unwrap_or_else(PoisonError::into_inner);
    let mut results: Vec<Result<Linked>> = match flush_data(objects, &batch) {
        Err(error) => return batch.iter().map(|_| Err(error.clone())).collect(),
        Ok(flushed) => link_all(objects, &mut unflushed, &batch, flushed),
    };
    if let Err(error) = flush_directories(objects, &mut unflushed, batch.len()) {
        for result in &mut results {
            if let Ok(linked) = result
                && linked.newly_added
                && !linked.repaired
            {
                let _ = unlinkat(&*objects.root, &linked.place, AtFlags::empty());
                unflushed.entry_changed(&linked.place);
            }
            *result = Err(error.clone());
        }
    }
    batch
        .iter()
        .zip(results)
        .map(|(staged, result)| report(staged, result?))
        .collect()
}

/// One answer per object where flushing went one by one, one for all where it did not.
fn flush_data(objects: &LocalObjects, batch: &[Staged]) -> Result<Vec<Result<()>>> {
    let single =
        |staged: &Staged| fdatasync(&staged.file).context("flush object", || staged.hash.to_string());
    if batch.len() <= FLUSH_SINGLY_OBJECTS {
        return Ok(batch.iter().map(single).collect());
    }
    let failed_before = objects.staging.failed_flushes.load(Ordering::Acquire);
    if let Err(error) = syncfs(&*objects.root) {
        objects.staging.failed_flushes.fetch_add(1, Ordering::AcqRel);
        return Err(error).context("flush", || format!("a group of {} objects", batch.len()));
    }
    Ok(batch
        .iter()
        .map(|staged| {
            if staged.epoch < failed_before {
                single(staged)
            } else {
                Ok(())
            }
        })
        .collect())
}

fn link_all(
    objects: &LocalObjects,
    unflushed: &mut UnflushedDirectories,
    batch: &[Staged],
    flushed: Vec<Result<()>>,
) -> Vec<Result<Linked>> {
    // The same content twice in a group: the first one decides, the others were there already.
    let mut first: HashMap<Hash, usize> = HashMap::with_capacity(batch.len());
    let mut results: Vec<Result<Linked>> = Vec::with_capacity(batch.len());
    for (at, (staged, flushed)) in batch.iter().zip(flushed).enumerate() {
        let earlier = first
            .get(&staged.hash)
            .and_then(|&at| results.get(at))
            .and_then(|r| r.as_ref().ok());
        let result = match (flushed, earlier) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(earlier)) => Ok(Linked {
                place: earlier.place.clone(),
                newly_added: false,
                repaired: false,
                existing: earlier.existing,
            }),
            (Ok(()), None) => link(objects, unflushed, staged),
        };
        if result.is_ok() {
            first.entry(staged.hash).or_insert(at);
        }
        results.push(result);
    }
    results
}

fn link(objects: &LocalObjects, unflushed: &mut UnflushedDirectories, staged: &Staged) -> Result<Linked> {
    let place = place_of(&staged.hash);
    // Nearly every object of a growing store is the first one in its directory, so that is tried first.
    unflushed.make_for(objects, &place)?;
    unflushed.entry_changed(&place);
    match link_to(staged, &objects.root, &place) {
        Ok(()) => Ok(Linked {
            place,
            newly_added: true,
            repaired: false,
            existing: None,
        }),
        Err(Errno::EXIST) => {
            if let Some(stamp) = sound(objects, staged)? {
                return Ok(Linked {
                    place,
                    newly_added: false,
                    repaired: false,
                    existing: Some(stamp),
                });
            }
            replace(objects, staged, &place)?;
            tracing::warn!(
                "object {}: the stored file was damaged and has been replaced",
                staged.hash
            );
            Ok(Linked {
                place,
                newly_added: true,
                repaired: true,
                existing: None,
            })
        }
        Err(error) => Err(error).context("store object", || staged.hash.to_string()),
    }
}

fn link_to(staged: &Staged, directory: &std::os::fd::OwnedFd, name: &str) -> std::result::Result<(), Errno> {
    if let Some(temporary) = &staged.name {
        return linkat(
            &*temporary.directory,
            &temporary.name,
            directory,
            name,
            AtFlags::empty(),
        );
    }
    match linkat(
        CWD,
        proc_path(&staged.file),
        directory,
        name,
        AtFlags::SYMLINK_FOLLOW,
    ) {
        // No /proc here. The last resort needs privileges or Linux 6.10.
        Err(Errno::NOENT) if !std::path::Path::new("/proc/self/fd").exists() => {
            linkat(&staged.file, "", directory, name, AtFlags::EMPTY_PATH)
        }
        other => other,
    }
}

/// The stamp of the stored file if its content is what its name says.
fn sound(objects: &LocalObjects, staged: &Staged) -> Result<Option<Stamp>> {
    let mut existing = match objects.open(&staged.hash) {
        Ok(existing) => existing,
        Err(StorageError::UnknownObject { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    if existing.size != staged.size {
        return Ok(None);
    }
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; COMPARE_BUFFER_BYTES.min(existing.size as usize)];
    loop {
        match existing.file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            // A file that cannot be read is as damaged as one with wrong bytes.
            Err(error) => {
                tracing::warn!("object {}: cannot read the stored file: {error}", staged.hash);
                return Ok(None);
            }
        }
    }
    Ok((hasher.finish() == staged.hash).then_some(existing.stamp))
}

/// Puts the staged file in the place of a damaged one. A link cannot replace, so it takes a name of its own first. An empty
/// directory that stands there goes; one that is not empty is somebody's, and an error.
fn replace(objects: &LocalObjects, staged: &Staged, place: &str) -> Result<()> {
    let name = format!("{}.repair", staged.hash);
    let _ = unlinkat(&*objects.temporaries, &name, AtFlags::empty());
    link_to(staged, &objects.temporaries, &name)
        .and_then(|()| {
            let renamed = renameat(&*objects.temporaries, &name, &*objects.root, place);
            if renamed != Err(Errno::ISDIR) {
                return renamed;
            }
            unlinkat(&*objects.root, place, AtFlags::REMOVEDIR)?;
            renameat(&*objects.temporaries, &name, &*objects.root, place)
        })
        .context("replace damaged object", || staged.hash.to_string())
        .inspect_err(|_| {
            let _ = unlinkat(&*objects.temporaries, &name, AtFlags::empty());
        })
}

fn flush_directories(
    objects: &LocalObjects,
    unflushed: &mut UnflushedDirectories,
    objects_in_batch: usize,
) -> Result<()> {
    // Each object may have made two directories and touched three.
    if objects_in_batch <= FLUSH_SINGLY_OBJECTS && unflushed.len() <= 3 * FLUSH_SINGLY_OBJECTS {
        return unflushed.flush(objects);
    }
    match syncfs(&*objects.root) {
        Ok(()) => {
            unflushed.all_flushed();
            Ok(())
        }
        Err(error) => {
            objects.staging.failed_flushes.fetch_add(1, Ordering::AcqRel);
            Err(error).context("flush", || "the directories of a group of objects".to_owned())
        }
    }
}

fn report(staged: &Staged, linked: Linked) -> Result<Committed> {
    let stamp = match linked.existing {
        Some(stamp) => stamp,
        // After the link, which changes ctime. For the second of two equals in a group this is the stamp of its own
        // temporary, which never matches the stored file: that costs one verification at the next read, no more.
        None => Stamp::of(&fstat(&staged.file).context("look at object", || staged.hash.to_string())?),
    };
    Ok(Committed {
        hash: staged.hash,
        size: staged.size,
        newly_added: linked.newly_added,
        repaired: linked.repaired,
        stamp,
    })
}
