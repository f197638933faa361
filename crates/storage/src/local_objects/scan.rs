//! Finding what is stored (`imageserver.md §6.6`), reading only what the index does not know.

use super::known::{Known, Piece, Prefix, record};
use super::place::hash_at;
use crate::error::IoContext;
use crate::resolve::open_directory;
use crate::{Result, ScanReport, Stamp, StorageError};
use hash::Hash;
use rustix::fs::{AtFlags, Dir, FileType, statat, unlinkat};
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads walking the tree. The work is system calls on cached or uncached directories: more threads than cores keep
/// the disk busy when nothing is cached.
const SCAN_THREADS: usize = 4;

/// Deeper directories than this are no part of any object store.
const DEPTH_LIMIT: usize = 8;

/// Depth of the directories that hold objects: the root has 0.
const OBJECTS_DEPTH: usize = 2;

/// What a walk is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The start: leftovers of unfinished writes are removed.
    Start,
    /// Bringing the index up to date, while others write.
    Index,
}

pub(super) struct Walk<'a> {
    pub(super) root: &'a OwnedFd,
    pub(super) known: &'a Known,
    /// Of the file system, from before the walk: directories changed about then or later are not for the index.
    pub(super) clock_ns: i64,
    pub(super) purpose: Purpose,
    pub(super) found: &'a (dyn Fn(Hash, u64) + Sync),
}

/// What one thread has met.
#[derive(Default)]
struct Met {
    report: ScanReport,
    /// The index to be.
    pieces: Vec<Piece>,
}

/// A directory on the way down.
struct Place {
    path: String,
    depth: usize,
    stamp: Stamp,
}

/// Also the records that an index of what was found consists of.
pub(super) fn scan(walk: &Walk<'_>) -> Result<(ScanReport, Vec<Piece>)> {
    let mut met = Met::default();
    let mut tops = Vec::new();
    walk.directory(".", "", 0, &mut met, &mut |top| tops.push(top))?;
    let next = AtomicUsize::new(0);
    let total = Mutex::new(met);
    std::thread::scope(|scope| {
        for _ in 0..SCAN_THREADS.min(tops.len()) {
            scope.spawn(|| {
                let mut met = Met::default();
                while let Some(top) = tops.get(next.fetch_add(1, Ordering::Relaxed)) {
                    walk.subtree(top, &mut met);
                }
                merge(&mut total.lock().unwrap_or_else(PoisonError::into_inner), met);
            });
        }
    });
    let met = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((met.report, met.pieces))
}

impl Walk<'_> {
    /// Everything below one directory. Iterative; a directory that cannot be read is noted and left out.
    fn subtree(&self, top: &Place, met: &mut Met) {
        let mut pending = Vec::new();
        self.read(top, met, &mut pending);
        while let Some(place) = pending.pop() {
            match prefix_of(&place) {
                Some(prefix) => self.objects_directory(&place, prefix, met, &mut pending),
                None => drop(self.read(&place, met, &mut pending)),
            }
        }
    }

    /// A directory `aa/bb`: from the index if its stamp agrees, else from disk and for the next index.
    fn objects_directory(&self, place: &Place, prefix: Prefix, met: &mut Met, pending: &mut Vec<Place>) {
        if let Some((piece, objects)) = self.known.objects(prefix, &place.stamp) {
            met.report.from_index += objects.len() as u64;
            for (hash, size) in objects {
                self.object(hash, size, &mut met.report);
            }
            met.pieces.push(piece);
            return;
        }
        let objects = self.read(place, met, pending);
        // The stamp is older than the reading: whatever happens to the directory after the former gives it another.
        if let Some(objects) = objects
            && place.stamp.is_settled(self.clock_ns)
        {
            met.pieces.extend(record(prefix, &place.stamp, &objects));
        }
    }

    /// Reads a directory. Its objects, if there is nothing else in it: anything odd is to be told at the next start too.
    fn read(&self, place: &Place, met: &mut Met, pending: &mut Vec<Place>) -> Option<Vec<(Hash, u64)>> {
        let prefix = format!("{}/", place.path);
        let read = self.directory(&place.path, &prefix, place.depth, met, &mut |below| {
            pending.push(below)
        });
        read.unwrap_or_else(|error| {
            push(&mut met.report.failed, error);
            None
        })
    }

    /// One directory: its objects are reported and returned, its directories handed to `descend`. `None` if it holds
    /// anything but objects.
    fn directory(
        &self,
        path: &str,
        prefix: &str,
        depth: usize,
        met: &mut Met,
        descend: &mut dyn FnMut(Place),
    ) -> Result<Option<Vec<(Hash, u64)>>> {
        let directory = open_directory(self.root, path).context("open directory", || path.to_owned())?;
        let entries = Dir::read_from(&directory).context("read directory", || path.to_owned())?;
        let mut objects = Some(Vec::new());
        for entry in entries {
            let entry = entry.context("read directory", || path.to_owned())?;
            let name = entry.file_name().to_bytes();
            if name.starts_with(b".") {
                continue;
            }
            let object = match std::str::from_utf8(name) {
                Ok(name) => {
                    let place = format!("{prefix}{name}");
                    self.entry(
                        &directory,
                        entry.file_name(),
                        place,
                        depth,
                        &mut met.report,
                        descend,
                    )
                }
                Err(_) => {
                    let name = entry.file_name().to_string_lossy();
                    push(&mut met.report.misnamed, format!("{prefix}{name}"));
                    None
                }
            };
            match (object, &mut objects) {
                (Some(object), Some(objects)) => objects.push(object),
                (None, _) => objects = None,
                (Some(_), None) => {}
            }
        }
        Ok(objects)
    }

    /// The object at `place`, if it is one.
    fn entry(
        &self,
        directory: &OwnedFd,
        name: &std::ffi::CStr,
        place: String,
        depth: usize,
        report: &mut ScanReport,
        descend: &mut dyn FnMut(Place),
    ) -> Option<(Hash, u64)> {
        // One call per object: the size is needed anyway, and the kind comes with it.
        let stat = match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(error) => {
                push_io(&mut report.failed, error, place);
                return None;
            }
        };
        let stamp = Stamp::of(&stat);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if depth < DEPTH_LIMIT => descend(Place {
                path: place,
                depth: depth + 1,
                stamp,
            }),
            FileType::RegularFile if place.ends_with('~') => {
                let remove = self.purpose == Purpose::Start;
                if remove && unlinkat(directory, name, AtFlags::empty()).is_ok() {
                    report.temporaries_removed += 1;
                }
            }
            FileType::RegularFile => match hash_at(&place) {
                None => push(&mut report.misnamed, place),
                Some(_) if stamp.size == 0 => push(&mut report.empty, place),
                Some(hash) => {
                    self.object(hash, stamp.size, report);
                    return Some((hash, stamp.size));
                }
            },
            _ => push(&mut report.misnamed, place),
        }
        None
    }

    fn object(&self, hash: Hash, size: u64, report: &mut ScanReport) {
        report.objects += 1;
        report.bytes += size;
        (self.found)(hash, size);
    }
}

/// The bytes that a directory where objects belong spells.
fn prefix_of(place: &Place) -> Option<Prefix> {
    if place.depth != OBJECTS_DEPTH {
        return None;
    }
    let (top, below) = place.path.split_once('/')?;
    Some([byte(top)?, byte(below)?])
}

/// Two lower-case hex digits.
fn byte(text: &str) -> Option<u8> {
    let lower = text
        .bytes()
        .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    u8::from_str_radix(text, 16)
        .ok()
        .filter(|_| lower && text.len() == 2)
}

/// Temporaries with a name, left by a process that was killed. Those without one vanished with it.
pub(super) fn remove_temporaries(directory: &OwnedFd) -> Result<u64> {
    let mut removed = 0;
    let entries = Dir::read_from(directory).context("read directory", || "temporaries".to_owned())?;
    for entry in entries {
        let entry = entry.context("read directory", || "temporaries".to_owned())?;
        if entry.file_name().to_bytes().starts_with(b".") {
            continue;
        }
        if unlinkat(directory, entry.file_name(), AtFlags::empty()).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}

fn merge(total: &mut Met, part: Met) {
    total.pieces.extend(part.pieces);
    let (total, part) = (&mut total.report, part.report);
    total.objects += part.objects;
    total.bytes += part.bytes;
    total.from_index += part.from_index;
    total.temporaries_removed += part.temporaries_removed;
    part.empty
        .into_iter()
        .for_each(|name| push(&mut total.empty, name));
    part.misnamed
        .into_iter()
        .for_each(|name| push(&mut total.misnamed, name));
    part.failed
        .into_iter()
        .for_each(|error| push(&mut total.failed, error));
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < ScanReport::MAX_NAMES {
        list.push(item);
    }
}

fn push_io(list: &mut Vec<StorageError>, error: rustix::io::Errno, what: String) {
    if let Err(error) = Err::<(), _>(error).context("look at", || what) {
        push(list, error);
    }
}
