//! Running sums over the table, so that asking costs nothing. Changed under the lock of the shard concerned.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) objects: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) referenced_objects: AtomicU64,
    pub(super) referenced_bytes: AtomicU64,
    /// Sum of all reference counts.
    pub(super) references: AtomicU64,
    /// Sum of reference counts times sizes.
    pub(super) references_bytes: AtomicU64,
    pub(super) damaged_objects: AtomicU64,
}

impl Totals {
    pub(super) fn object_added(&self, size: u64) {
        self.objects.fetch_add(1, Relaxed);
        self.bytes.fetch_add(size, Relaxed);
    }

    pub(super) fn object_removed(&self, size: u64) {
        self.objects.fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(size, Relaxed);
    }

    pub(super) fn size_changed(&self, old: u64, new: u64, references: u64) {
        let change = |sum: &AtomicU64, old: u64, new: u64| {
            sum.fetch_add(new, Relaxed);
            sum.fetch_sub(old, Relaxed);
        };
        change(&self.bytes, old, new);
        if references > 0 {
            change(&self.referenced_bytes, old, new);
            change(
                &self.references_bytes,
                old.saturating_mul(references),
                new.saturating_mul(references),
            );
        }
    }

    pub(super) fn reference_added(&self, size: u64, first: bool) {
        self.references.fetch_add(1, Relaxed);
        self.references_bytes.fetch_add(size, Relaxed);
        if first {
            self.referenced_objects.fetch_add(1, Relaxed);
            self.referenced_bytes.fetch_add(size, Relaxed);
        }
    }

    pub(super) fn reference_dropped(&self, size: u64, last: bool) {
        self.references.fetch_sub(1, Relaxed);
        self.references_bytes.fetch_sub(size, Relaxed);
        if last {
            self.referenced_objects.fetch_sub(1, Relaxed);
            self.referenced_bytes.fetch_sub(size, Relaxed);
        }
    }

    pub(super) fn clear_references(&self) {
        for sum in [
            &self.references,
            &self.references_bytes,
            &self.referenced_objects,
            &self.referenced_bytes,
        ] {
            sum.store(0, Relaxed);
        }
    }

    pub(super) fn references_counted(&self, size: u64, references: u64) {
        if references > 0 {
            self.references.fetch_add(references, Relaxed);
            self.references_bytes
                .fetch_add(size.saturating_mul(references), Relaxed);
            self.referenced_objects.fetch_add(1, Relaxed);
            self.referenced_bytes.fetch_add(size, Relaxed);
        }
    }

    pub(super) fn damaged_found(&self) {
        self.damaged_objects.fetch_add(1, Relaxed);
    }

    pub(super) fn damaged_repaired(&self) {
        self.damaged_objects.fetch_sub(1, Relaxed);
    }
}
