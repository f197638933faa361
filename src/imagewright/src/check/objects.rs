//! The object directory: every file is hashed, and remembered for the images that need it.

use super::finding::{Finding, Kind};
use super::progress::Progress;
use super::report::Report;
use super::workers;
use hash::{Hash, Hasher};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Read at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// Directory of a server's temporaries.
const TEMPORARIES: &str = ".imagewright.tmp";

/// Objects that an original replica was about to take over.
const STASH: &str = ".stash";

/// Images that are named for an object.
const NAMED_IMAGES: usize = 5;

/// Deeper directories belong to no object store.
const DEPTH_LIMIT: usize = 8;

/// A file at the place of an object.
struct Found {
    hash: Hash,
    bytes: u64,
    is_sound: bool,
    is_needed: AtomicBool,
}

/// What was found.
pub(super) struct Objects {
    /// By hash, sorted.
    found: Vec<Found>,
    /// Damaged and missing objects that images need, with their number and the first names.
    wanted: Mutex<HashMap<Hash, (u64, Vec<String>)>>,
    causes: HashMap<Hash, String>,
}

/// What one thread has met.
#[derive(Default)]
struct Met {
    found: Vec<Found>,
    causes: HashMap<Hash, String>,
    findings: Vec<Finding>,
}

/// Looks at everything below the directory.
pub(super) fn look(
    root: &Path,
    threads: usize,
    progress: &Progress,
    report: &mut Report,
) -> std::io::Result<Objects> {
    let mut first = Met::default();
    let mut tops = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let name = entry?.file_name();
        match name.to_str() {
            Some(TEMPORARIES) => temporaries(&root.join(TEMPORARIES), &mut first),
            Some(STASH) => first.finding(
                Kind::Stray,
                STASH,
                "objects an original replica had not taken over yet",
            ),
            Some(dotted) if dotted.starts_with('.') => {}
            _ => tops.push(PathBuf::from(name)),
        }
    }
    // Smaller pieces than the 256 directories of a store would be no faster; fewer would leave threads idle at the end.
    let mut all = workers::each(threads, &tops, |met: &mut Met, top| {
        walk(root, top, 0, met, progress)
    });
    all.push(first);
    let mut objects = Objects {
        found: Vec::new(),
        wanted: Mutex::default(),
        causes: HashMap::new(),
    };
    for met in all {
        objects.found.extend(met.found);
        objects.causes.extend(met.causes);
        report.findings.extend(met.findings);
    }
    objects.found.sort_unstable_by_key(|found| found.hash);
    Ok(objects)
}

impl Met {
    fn finding(&mut self, kind: Kind, name: impl Into<String>, cause: impl Into<String>) {
        self.findings.push(Finding::new(kind, name, cause));
    }
}

fn temporaries(directory: &Path, met: &mut Met) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = format!("{TEMPORARIES}/{}", entry.file_name().to_string_lossy());
        met.finding(Kind::Temporary, name, "an object that was never stored");
    }
}

fn walk(root: &Path, path: &Path, depth: usize, met: &mut Met, progress: &Progress) {
    let name = path.to_string_lossy().into_owned();
    let metadata = match root.join(path).symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) => return met.finding(Kind::Unreadable, name, error.to_string()),
    };
    if metadata.is_dir() && depth < DEPTH_LIMIT {
        let entries = match std::fs::read_dir(root.join(path)) {
            Ok(entries) => entries,
            Err(error) => return met.finding(Kind::Unreadable, name, error.to_string()),
        };
        for entry in entries {
            match entry {
                Ok(entry) if entry.file_name().as_encoded_bytes().starts_with(b".") => {}
                Ok(entry) => walk(root, &path.join(entry.file_name()), depth + 1, met, progress),
                Err(error) => met.finding(Kind::Unreadable, name.clone(), error.to_string()),
            }
        }
        return;
    }
    if metadata.is_file() && name.ends_with('~') {
        return met.finding(Kind::Temporary, name, "an object that was never stored");
    }
    let Some(hash) = hash_at(&name).filter(|_| metadata.is_file()) else {
        return met.finding(Kind::Stray, name, "not the place of an object");
    };
    let cause = match hash_of(&root.join(path)) {
        Ok(computed) if computed == hash => None,
        Ok(_) if metadata.len() == 0 => Some("the file is empty".to_owned()),
        Ok(_) => Some("its content does not match its name".to_owned()),
        Err(error) => Some(format!("cannot read it: {error}")),
    };
    progress.objects(1, metadata.len());
    met.found.push(Found {
        hash,
        bytes: metadata.len(),
        is_sound: cause.is_none(),
        is_needed: AtomicBool::new(false),
    });
    met.causes.extend(cause.map(|cause| (hash, cause)));
}

/// The hash whose place this is, if it is one.
fn hash_at(place: &str) -> Option<Hash> {
    let hash: Hash = place.replace('/', "").parse().ok()?;
    (storage::object_place(&hash) == place).then_some(hash)
}

fn hash_of(path: &Path) -> std::io::Result<Hash> {
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut hasher = Hasher::new();
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Objects {
    /// An image needs this object, of this size in bytes if it says so. True if it is there and sound.
    pub(super) fn is_sound(&self, image: &str, hash: &Hash, bytes: Option<u64>) -> bool {
        let found = self.found.binary_search_by_key(hash, |found| found.hash);
        let found = found.ok().and_then(|at| self.found.get(at));
        if let Some(found) = found {
            found.is_needed.store(true, Ordering::Relaxed);
            if found.is_sound && bytes.is_none_or(|bytes| bytes == found.bytes) {
                return true;
            }
        }
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, names) = wanted.entry(*hash).or_default();
        *count += 1;
        if names.len() < NAMED_IMAGES {
            names.push(image.to_owned());
        }
        false
    }

    /// Findings about objects, now that it is known who needs them, and the sums.
    pub(super) fn tell(self, report: &mut Report) {
        let mut wanted = self.wanted.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (hash, cause) in self.causes {
            let mut finding = Finding::new(Kind::DamagedObject, hash.to_string(), cause);
            (finding.affected_images, finding.images) = wanted.remove(&hash).unwrap_or_default();
            report.findings.push(finding);
        }
        for (hash, (affected_images, images)) in wanted {
            let is_there = self.found.binary_search_by_key(&hash, |found| found.hash).is_ok();
            let cause = match is_there {
                true => "it has another size than an image says",
                false => "it is not there",
            };
            let mut finding = Finding::new(Kind::MissingObject, hash.to_string(), cause);
            (finding.affected_images, finding.images) = (affected_images, images);
            report.findings.push(finding);
        }
        for found in &self.found {
            report.objects += 1;
            report.object_bytes += found.bytes;
            if !found.is_needed.load(Ordering::Relaxed) {
                report.unreferenced_objects += 1;
                report.unreferenced_bytes += found.bytes;
            }
        }
    }
}
