//! Bringing snapshot and directory into agreement after the actor, a job of it, or the disk failed half-way.

use super::entry::{DirectoryEntry, EntryState, FILE_IS_GONE, ImageEntry};
use super::load::{Loaded, directory, load_all};
use super::{IndexEvent, IndexSnapshot, Shared};
use crate::object_store::Ticket;
use gob::Time;
use std::collections::HashSet;
use std::sync::Arc;
use storage::{Listing, StorageError};

/// What is on disk and not in the snapshot, and the reverse.
#[derive(Default)]
pub(super) struct Reconciled {
    added: Vec<(Box<ImageEntry>, Ticket)>,
    /// There is a tombstone: somebody asked for it, and is told.
    deleted: Vec<Arc<str>>,
    /// Time was up, which is told to nobody (`imageserver.md §2.3`).
    expired: Vec<Arc<str>>,
    /// No file, no tombstone, no reason: they keep their names, since replicas would delete what is not announced.
    lost: Vec<ImageEntry>,
    directories_changed: Vec<DirectoryEntry>,
    directories_removed: Vec<Arc<str>>,
}

impl Reconciled {
    /// Looks; changes nothing. Images are compared by the stamps of their files, so only what was touched is read. The
    /// disk is the truth. Blocks.
    pub(super) fn find(shared: &Shared) -> Result<Reconciled, StorageError> {
        let snapshot = shared.snapshot.load();
        let mut listing = shared.directory.list(true)?;
        let mut found = Reconciled::default();
        // A directory that cannot be listed says nothing about what is in it.
        if listing.failed.is_empty() {
            found.find_absent(&snapshot, &listing, shared.clock.now());
        }
        found.directories_changed = listing
            .directories
            .iter()
            .map(|name| directory(shared, name))
            .filter(|entry| {
                snapshot
                    .directories
                    .get(&entry.name)
                    .is_none_or(|known| **known != *entry)
            })
            .collect();
        listing.images.retain(|file| {
            snapshot
                .images
                .get(file.name.as_str())
                .is_none_or(|known| known.stamp != file.stamp)
        });
        // What ended between the listing and the reading is left to the next time.
        for loaded in load_all(shared, &listing.images) {
            if let Loaded::Entry(entry, ticket) = loaded {
                found.added.push((entry, ticket));
            }
        }
        Ok(found)
    }

    fn find_absent(&mut self, snapshot: &IndexSnapshot, listing: &Listing, now: Time) {
        let files: HashSet<&str> = listing.images.iter().map(|file| file.name.as_str()).collect();
        let tombstones: HashSet<&str> = listing.tombstones.iter().map(String::as_str).collect();
        for (name, entry) in &snapshot.images {
            if files.contains(&**name) {
                continue;
            }
            if tombstones.contains(&**name) {
                self.deleted.push(name.clone());
            } else if !entry.expires_at().is_zero() && entry.expires_at() <= now {
                self.expired.push(name.clone());
            } else {
                self.lost.push(entry.lost(FILE_IS_GONE, now));
            }
        }
        let directories: HashSet<&str> = listing.directories.iter().map(String::as_str).collect();
        let holds_lost = |directory: &str| {
            self.lost.iter().any(|entry| {
                entry
                    .name
                    .strip_prefix(directory)
                    .is_some_and(|rest| rest.starts_with('/'))
            })
        };
        self.directories_removed = snapshot
            .directories
            .keys()
            .filter(|name| !directories.contains(&***name) && !holds_lost(name))
            .cloned()
            .collect();
    }

    /// Publishes and tells.
    pub(super) fn apply(self, shared: &Shared) {
        for entry in self.directories_changed {
            let event = entry.to_directory();
            shared.publish_directory(entry);
            shared.tell(IndexEvent::MakeDirectory(event));
        }
        for (entry, ticket) in self.added {
            let (name, usable) = (entry.name.clone(), entry.state == EntryState::Present);
            tracing::warn!("image {name}: found on disk after a failure, and taken up");
            shared.settle_image(*entry, ticket);
            if usable {
                shared.tell(IndexEvent::AddImage(name));
            }
        }
        for name in self.deleted {
            tracing::warn!("image {name}: found deleted on disk after a failure, and dropped");
            shared.unpublish_image(&name);
            shared.tell(IndexEvent::DeleteImage(name));
        }
        for name in self.expired {
            tracing::warn!("image {name}: has expired and is gone from disk, and dropped");
            shared.unpublish_image(&name);
        }
        for entry in self.lost {
            tracing::error!("image {} is quarantined: its file is gone", entry.name);
            shared.publish_image(entry);
        }
        for name in self.directories_removed {
            shared.publish(|snapshot| {
                snapshot.directories.remove(&name);
            });
            shared.tell(IndexEvent::DeleteDirectory(name));
        }
    }
}
