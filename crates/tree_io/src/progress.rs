//! Counters that a progress display reads while the work runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far a scan, an unpacking or an archive has come. Cheap to clone; all clones count together.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    entries: AtomicU64,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// Directory entries (or archive members) seen.
    pub fn entries(&self) -> u64 {
        self.0.entries.load(Ordering::Relaxed)
    }

    /// Non-empty files done.
    pub fn files(&self) -> u64 {
        self.0.files.load(Ordering::Relaxed)
    }

    /// Bytes of file content done.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn add_entries(&self, count: u64) {
        self.0.entries.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn add_file(&self) {
        self.0.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}
