//! What outlives an incarnation of the actor.

use super::entry::{DirectoryEntry, ImageEntry, Pools};
use super::jobs::Jobs;
use super::trees::Trees;
use super::{IndexEvent, IndexSnapshot};
use crate::object_store::{self, Ticket};
use crate::pool::Pool;
use crate::{Clock, ExpirationLimits};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use storage::{ImageDir, StorageError};
use tokio::sync::broadcast;

/// Threads that decode, encode, hash and write images. One image of 30,000 inodes keeps one busy for 40 ms and more.
pub(crate) const IMAGE_THREADS: usize = 4;

/// Image jobs running or waiting; further requests wait for their turn.
pub(crate) const IMAGE_JOBS: usize = 256;

pub(crate) struct Shared {
    pub(crate) directory: ImageDir,
    pub(crate) snapshot: ArcSwap<IndexSnapshot>,
    pub(crate) events: broadcast::Sender<IndexEvent>,
    pub(crate) objects: Arc<object_store::Shared>,
    pub(crate) pool: Pool,
    pub(crate) jobs: Jobs,
    pub(crate) trees: Trees,
    pub(crate) pools: Pools,
    pub(crate) expiration: ExpirationLimits,
    /// What the last job that panicked said.
    pub(crate) last_job_error: Mutex<Option<String>>,
    /// A replica writes over tombstones.
    pub(crate) replica: bool,
    pub(crate) clock: Clock,
    pub(crate) look_at_damage: Duration,
    /// See [`Config`](crate::Config).
    pub(crate) look_at_clock: Duration,
    pub(crate) allow_debug_panic: bool,
}

impl Shared {
    /// Publishes a changed snapshot. Only one thread at a time changes it: the actor's, or start-up's.
    pub(super) fn publish(&self, change: impl FnOnce(&mut IndexSnapshot)) {
        let mut next = IndexSnapshot::clone(&self.snapshot.load());
        change(&mut next);
        next.generation += 1;
        metrics::gauge!("imageserver_images").set(next.images.len() as f64);
        metrics::gauge!("imageserver_directories").set(next.directories.len() as f64);
        metrics::gauge!("imageserver_quarantined_images").set(next.quarantined.len() as f64);
        // Before the snapshot: a deletion must not find fewer unknown images than there are.
        self.objects
            .unknown_images
            .store(next.unknown_images, Ordering::Release);
        self.snapshot.store(Arc::new(next));
    }

    pub(super) fn publish_image(&self, entry: ImageEntry) {
        let entry = Arc::new(entry);
        self.publish(|snapshot| {
            snapshot.insert_image(entry);
        });
    }

    /// Publishes an image whose references a ticket holds. An entry of the same name is replaced in one step, references
    /// included: who looks meanwhile sees the old or the new one, and never that the name is gone.
    pub(super) fn settle_image(&self, entry: ImageEntry, ticket: Ticket) {
        let entry = Arc::new(entry);
        let name = entry.name.clone();
        self.objects.ledger.settle(ticket, || {
            let mut replaced = None;
            self.publish(|snapshot| replaced = snapshot.insert_image(entry));
            replaced.map(|replaced| replaced.objects.runs().clone())
        });
        self.trees.forget(&name);
    }

    pub(super) fn publish_directory(&self, entry: DirectoryEntry) {
        let entry = Arc::new(entry);
        self.publish(|snapshot| {
            snapshot.directories.insert(entry.name.clone(), entry);
        });
    }

    /// Publishes the absence of an image, and gives up its references in the same step.
    pub(super) fn unpublish_image(&self, name: &str) {
        self.objects.ledger.release(|| {
            let mut removed = None;
            self.publish(|snapshot| removed = snapshot.remove_image(name));
            removed.map(|entry| entry.objects.runs().clone())
        });
        self.trees.forget(name);
    }

    /// Removes an empty directory. On a replica tombstones and metadata go with it: there names are not blocked by
    /// tombstones, and the master, which had to get rid of its own first, has removed the directory.
    pub(super) fn remove_directory(&self, name: &str) -> Result<(), StorageError> {
        match self.directory.remove_directory(name) {
            Err(StorageError::NotEmpty { .. }) if self.replica => {}
            other => return other,
        }
        let listing = self.directory.list(false)?;
        let is_in = |other: &str| image::name::parent(other) == name;
        if listing.images.iter().any(|file| is_in(&file.name))
            || listing.directories.iter().any(|other| is_in(other))
        {
            return Err(StorageError::NotEmpty {
                name: name.to_owned(),
            });
        }
        for tombstone in listing.tombstones.iter().filter(|tombstone| is_in(tombstone)) {
            self.directory.remove(tombstone)?;
        }
        self.directory.remove_metadata(name)?;
        self.directory.remove_directory(name)
    }

    pub(super) fn announce_deleted(&self, name: Arc<str>) {
        self.tell(IndexEvent::DeleteImage(name));
    }

    /// Tells subscribers. Having none is no error.
    pub(super) fn tell(&self, event: IndexEvent) {
        let _ = self.events.send(event);
    }
}
