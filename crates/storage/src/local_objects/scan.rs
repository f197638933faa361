//! Finding what is stored (`imageserver.md §6.6`).

use super::place::hash_at;
use crate::error::IoContext;
use crate::resolve::open_directory;
use crate::{Result, ScanReport, StorageError};
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

pub(super) fn scan(
    root: &OwnedFd,
    temporaries: &OwnedFd,
    found: &(dyn Fn(Hash, u64) + Sync),
) -> Result<ScanReport> {
    let mut report = ScanReport {
        temporaries_removed: remove_temporaries(temporaries)?,
        ..Default::default()
    };
    let mut tops = Vec::new();
    Walk {
        root,
        found,
        report: &mut report,
    }
    .directory(".", "", 0, &mut |name| tops.push(name))?;
    let next = AtomicUsize::new(0);
    let total = Mutex::new(report);
    std::thread::scope(|scope| {
        for _ in 0..SCAN_THREADS.min(tops.len()) {
            scope.spawn(|| {
                let mut report = ScanReport::default();
                while let Some(top) = tops.get(next.fetch_add(1, Ordering::Relaxed)) {
                    Walk {
                        root,
                        found,
                        report: &mut report,
                    }
                    .subtree(top);
                }
                merge(&mut total.lock().unwrap_or_else(PoisonError::into_inner), report);
            });
        }
    });
    Ok(total.into_inner().unwrap_or_else(PoisonError::into_inner))
}

struct Walk<'a> {
    root: &'a OwnedFd,
    found: &'a (dyn Fn(Hash, u64) + Sync),
    report: &'a mut ScanReport,
}

impl Walk<'_> {
    /// Everything below one directory. Iterative; a directory that cannot be read is noted and left out.
    fn subtree(&mut self, top: &str) {
        let mut pending = vec![(top.to_owned(), 1)];
        while let Some((path, depth)) = pending.pop() {
            let prefix = format!("{path}/");
            let mut below = Vec::new();
            if let Err(error) = self.directory(&path, &prefix, depth, &mut |name| below.push(name)) {
                push(&mut self.report.failed, error);
            }
            pending.extend(below.into_iter().map(|path| (path, depth + 1)));
        }
    }

    /// One directory: its objects are reported, its directories handed to `descend`.
    fn directory(
        &mut self,
        path: &str,
        prefix: &str,
        depth: usize,
        descend: &mut dyn FnMut(String),
    ) -> Result<()> {
        let directory = open_directory(self.root, path).context("open directory", || path.to_owned())?;
        let entries = Dir::read_from(&directory).context("read directory", || path.to_owned())?;
        for entry in entries {
            let entry = entry.context("read directory", || path.to_owned())?;
            let name = entry.file_name().to_bytes();
            if name.starts_with(b".") {
                continue;
            }
            let Ok(name) = std::str::from_utf8(name) else {
                push(
                    &mut self.report.misnamed,
                    format!("{prefix}{}", entry.file_name().to_string_lossy()),
                );
                continue;
            };
            let place = format!("{prefix}{name}");
            // One call per object: the size is needed anyway, and the kind comes with it.
            let stat = match statat(&directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(error) => {
                    push_io(&mut self.report.failed, error, place);
                    continue;
                }
            };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory if depth < DEPTH_LIMIT => descend(place),
                FileType::RegularFile if name.ends_with('~') => {
                    if unlinkat(&directory, entry.file_name(), AtFlags::empty()).is_ok() {
                        self.report.temporaries_removed += 1;
                    }
                }
                FileType::RegularFile => self.file(place, u64::try_from(stat.st_size).unwrap_or(0)),
                _ => push(&mut self.report.misnamed, place),
            }
        }
        Ok(())
    }

    fn file(&mut self, place: String, size: u64) {
        match hash_at(&place) {
            None => push(&mut self.report.misnamed, place),
            Some(_) if size == 0 => push(&mut self.report.empty, place),
            Some(hash) => {
                self.report.objects += 1;
                self.report.bytes += size;
                (self.found)(hash, size);
            }
        }
    }
}

/// Temporaries with a name, left by a process that was killed. Those without one vanished with it.
fn remove_temporaries(directory: &OwnedFd) -> Result<u64> {
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

fn merge(total: &mut ScanReport, part: ScanReport) {
    total.objects += part.objects;
    total.bytes += part.bytes;
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
