//! The published state.

use super::entry::{DirectoryEntry, EntryState, ImageEntry};
use super::object_list::Run;
use std::collections::HashMap;
use std::sync::Arc;

/// Everything there is at one moment. Persistent maps: publishing the next one copies a few nodes, however much there is.
#[derive(Debug, Clone, Default)]
pub struct IndexSnapshot {
    /// Images by name, quarantined ones included: a replica deletes what its master does not announce.
    pub images: imbl::OrdMap<Arc<str>, Arc<ImageEntry>>,
    /// Directories by name, the root `.` included.
    pub directories: imbl::OrdMap<Arc<str>, Arc<DirectoryEntry>>,
    /// Those of the images that are quarantined.
    pub quarantined: imbl::OrdMap<Arc<str>, Arc<ImageEntry>>,
    /// Images whose objects are not known, since they cannot be decoded.
    pub unknown_images: usize,
    /// Grows with every change.
    pub generation: u64,
}

impl IndexSnapshot {
    /// Puts an image in; the one that had its name before.
    pub(super) fn insert_image(&mut self, entry: Arc<ImageEntry>) -> Option<Arc<ImageEntry>> {
        let replaced = self.remove_image(&entry.name);
        self.unknown_images += usize::from(entry.is_unknown());
        if entry.state != EntryState::Present {
            self.quarantined.insert(entry.name.clone(), entry.clone());
        }
        self.images.insert(entry.name.clone(), entry);
        replaced
    }

    pub(super) fn remove_image(&mut self, name: &str) -> Option<Arc<ImageEntry>> {
        let removed = self.images.remove(name)?;
        self.unknown_images -= usize::from(removed.is_unknown());
        self.quarantined.remove(name);
        Some(removed)
    }

    /// The runs of references that images hold, each once, with how many times images hold it.
    pub(crate) fn runs(&self) -> Vec<(Run, u64)> {
        let mut runs: HashMap<*const (), (Run, u64)> = HashMap::new();
        for run in self.images.values().flat_map(|entry| entry.objects.runs().iter()) {
            let address = Arc::as_ptr(run).cast();
            runs.entry(address).or_insert_with(|| (run.clone(), 0)).1 += 1;
        }
        runs.into_values().collect()
    }
}
