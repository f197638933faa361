//! How the start went.

use std::time::Duration;
use storage::IndexUse;

/// What a start has read, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StartReport {
    /// Images taken from the index.
    pub images_from_index: u64,
    /// Images decoded from their files, those that turned out to be quarantined included.
    pub images_decoded: u64,
    /// What the index of images was good for.
    pub image_index: IndexUse,
    /// Objects in directories the index knows.
    pub objects_from_index: u64,
    /// Objects found by reading directories.
    pub objects_scanned: u64,
    /// What the index of objects was good for.
    pub object_index: IndexUse,
    /// From the beginning until everything was loaded.
    pub took: Duration,
}

impl StartReport {
    /// Everything came from the indexes, so they need not be written again.
    pub(crate) fn is_from_index(&self) -> bool {
        self.images_decoded == 0
            && self.image_index == IndexUse::Used
            && self.objects_scanned == 0
            && self.object_index == IndexUse::Used
    }

    /// Hands the figures to the metrics.
    pub(crate) fn publish(&self) {
        for (source, images, objects) in [
            ("index", self.images_from_index, self.objects_from_index),
            ("files", self.images_decoded, self.objects_scanned),
        ] {
            metrics::gauge!("imageserver_start_images", "source" => source).set(images as f64);
            metrics::gauge!("imageserver_start_objects", "source" => source).set(objects as f64);
        }
        metrics::gauge!("imageserver_start_seconds").set(self.took.as_secs_f64());
    }
}
