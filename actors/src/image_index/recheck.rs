//! Reading image files again, whether anybody asked for them or not: for the scrub.

use super::entry::ImageEntry;
use super::trees::{attempt, decode_read};
use super::{ImageIndex, IndexError, quarantine};
use std::sync::Arc;

/// What an image file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImageFile {
    /// As it should be.
    Sound,
    /// In quarantine, now if not before.
    Damaged,
    /// Deleted meanwhile.
    Gone,
}

impl ImageIndex {
    /// Reads the file of an image from the disk and compares it with what is known of it. One that is damaged goes into
    /// quarantine, one that is in quarantine comes back if it was repaired.
    ///
    /// Errors: it could not be looked at, for reasons that are not its own.
    pub(crate) async fn recheck(&self, name: &Arc<str>) -> Result<ImageFile, IndexError> {
        let shared = &self.shared;
        let read = |entry: Arc<ImageEntry>| async move {
            let pool_shared = shared.clone();
            let read = move || decode_read(&entry, pool_shared.directory.read_from_disk(&entry.name));
            shared.pool.run(read).await?.map(drop)
        };
        match attempt(shared, name, read).await {
            Ok(Some(())) => Ok(ImageFile::Sound),
            Ok(None) => Ok(ImageFile::Gone),
            Err(IndexError::Quarantined { .. } | IndexError::Damaged { .. }) => {
                self.actor.call(quarantine::Look { name: name.clone() }).await?;
                Ok(match self.snapshot().images.get(name) {
                    None => ImageFile::Gone,
                    Some(entry) if entry.usable().is_ok() => ImageFile::Sound,
                    Some(_) => ImageFile::Damaged,
                })
            }
            Err(error) => Err(error),
        }
    }
}
