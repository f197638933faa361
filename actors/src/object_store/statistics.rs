//! Figures of the store.

use super::Shared;
use super::totals::Totals;
use std::sync::atomic::Ordering::Relaxed;
use storage::Space;

/// Figures at one moment. Sums are kept up to date one by one, so two of them may differ by an object in flight.
#[derive(Debug, Clone, Copy, Default)]
pub struct ObjectStatistics {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects some image needs.
    pub referenced_objects: u64,
    /// Their bytes.
    pub referenced_bytes: u64,
    /// Objects no image needs.
    pub unreferenced_objects: u64,
    /// Their bytes.
    pub unreferenced_bytes: u64,
    /// References of all images together.
    pub references: u64,
    /// Bytes all references together would take without sharing.
    pub references_bytes: u64,
    /// Objects known to be damaged.
    pub damaged_objects: u64,
    /// Room of the file system.
    pub space: Space,
}

impl Totals {
    pub(super) fn unreferenced_bytes(&self) -> u64 {
        self.bytes
            .load(Relaxed)
            .saturating_sub(self.referenced_bytes.load(Relaxed))
    }
}

impl ObjectStatistics {
    pub(super) fn of(shared: &Shared) -> ObjectStatistics {
        let totals = &shared.table.totals;
        let objects = totals.objects.load(Relaxed);
        let referenced_objects = totals.referenced_objects.load(Relaxed);
        ObjectStatistics {
            objects,
            bytes: totals.bytes.load(Relaxed),
            referenced_objects,
            referenced_bytes: totals.referenced_bytes.load(Relaxed),
            unreferenced_objects: objects.saturating_sub(referenced_objects),
            unreferenced_bytes: totals.unreferenced_bytes(),
            references: totals.references.load(Relaxed),
            references_bytes: totals.references_bytes.load(Relaxed),
            damaged_objects: totals.damaged_objects.load(Relaxed),
            space: *shared.space.lock(),
        }
    }

    /// How often a referenced byte is needed on average; 0 if nothing is referenced.
    pub fn duplicate_factor(&self) -> f64 {
        if self.referenced_bytes == 0 {
            return 0.0;
        }
        self.references_bytes as f64 / self.referenced_bytes as f64
    }
}

/// Hands the figures to the metrics.
pub(super) fn publish(shared: &Shared) {
    let figures = ObjectStatistics::of(shared);
    for (name, value) in [
        ("imageserver_objects", figures.objects),
        ("imageserver_damaged_objects", figures.damaged_objects),
        (
            "imageserver_object_store_capacity_bytes",
            figures.space.capacity_bytes,
        ),
        ("imageserver_object_store_free_bytes", figures.space.free_bytes),
    ] {
        metrics::gauge!(name).set(value as f64);
    }
    for (state, objects, bytes) in [
        ("referenced", figures.referenced_objects, figures.referenced_bytes),
        (
            "unreferenced",
            figures.unreferenced_objects,
            figures.unreferenced_bytes,
        ),
    ] {
        metrics::gauge!("imageserver_objects_by_state", "state" => state).set(objects as f64);
        metrics::gauge!("imageserver_object_bytes", "state" => state).set(bytes as f64);
    }
}
