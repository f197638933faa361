//! The published state.

use super::entry::{DirectoryEntry, EntryState, ImageEntry};
use std::sync::Arc;

/// Everything there is at one moment. Persistent maps: publishing the next one copies a few nodes.
#[derive(Debug, Clone, Default)]
pub struct IndexSnapshot {
    /// Images by name, quarantined ones included: a replica deletes what its master does not announce.
    pub images: imbl::OrdMap<Arc<str>, Arc<ImageEntry>>,
    /// Directories by name, the root `.` included.
    pub directories: imbl::OrdMap<Arc<str>, Arc<DirectoryEntry>>,
    /// Grows with every change.
    pub generation: u64,
}

impl IndexSnapshot {
    /// Images that are quarantined.
    pub fn quarantined(&self) -> impl Iterator<Item = &Arc<ImageEntry>> {
        self.images
            .values()
            .filter(|entry| entry.state != EntryState::Present)
    }
}
