//! Bringing snapshot and directory into agreement after the actor, or a job of it, died half-way.

use super::entry::{DirectoryEntry, EntryState, ImageEntry};
use super::load::{Loaded, directory, load_all};
use super::{IndexEvent, Shared};
use crate::object_store::Ticket;
use std::collections::HashSet;
use std::sync::Arc;
use storage::StorageError;

/// What is on disk and not in the snapshot, and the reverse.
pub(super) struct Reconciled {
    added: Vec<(Box<ImageEntry>, Ticket)>,
    removed: Vec<Arc<str>>,
    directories_changed: Vec<DirectoryEntry>,
    directories_removed: Vec<Arc<str>>,
}

impl Reconciled {
    /// Looks; changes nothing. Images are compared by the stamps of their files, so only what was touched is read. The
    /// disk is the truth. Blocks.
    pub(super) fn find(shared: &Shared) -> Result<Reconciled, StorageError> {
        let snapshot = shared.snapshot.load();
        let mut listing = shared.directory.list(true)?;
        // A directory that cannot be listed says nothing about what is in it.
        let is_readable = listing.failed.is_empty();
        let directories: HashSet<&str> = listing.directories.iter().map(String::as_str).collect();
        let directories_removed = snapshot
            .directories
            .keys()
            .filter(|name| is_readable && !directories.contains(&***name))
            .cloned()
            .collect();
        let directories_changed = listing
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
        let files: HashSet<&str> = listing.images.iter().map(|file| file.name.as_str()).collect();
        let mut removed: Vec<Arc<str>> = snapshot
            .images
            .keys()
            .filter(|name| is_readable && !files.contains(&***name))
            .cloned()
            .collect();
        listing.images.retain(|file| {
            snapshot
                .images
                .get(file.name.as_str())
                .is_none_or(|known| known.stamp != file.stamp)
        });
        let touched: Vec<Arc<str>> = listing
            .images
            .iter()
            .filter_map(|file| snapshot.images.get_key_value(file.name.as_str()))
            .map(|(name, _)| name.clone())
            .collect();
        let mut added = Vec::new();
        for loaded in load_all(shared, &listing.images) {
            if let Loaded::Entry(entry, ticket) = loaded {
                added.push((entry, ticket));
            }
        }
        let kept: HashSet<&str> = added.iter().map(|(entry, _)| &*entry.name).collect();
        removed.extend(touched.into_iter().filter(|name| !kept.contains(&**name)));
        Ok(Reconciled {
            added,
            removed,
            directories_changed,
            directories_removed,
        })
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
            // The references of an entry it replaces go first; the ticket holds the new ones.
            shared.unpublish_image(&name);
            shared
                .objects
                .ledger
                .settle(ticket, || shared.publish_image(*entry));
            if usable {
                shared.tell(IndexEvent::AddImage(name));
            }
        }
        for name in self.removed {
            tracing::warn!("image {name}: gone from disk after a failure, and dropped");
            shared.unpublish_image(&name);
            shared.tell(IndexEvent::DeleteImage(name));
        }
        for name in self.directories_removed {
            shared.publish(|snapshot| {
                snapshot.directories.remove(&name);
            });
            shared.tell(IndexEvent::DeleteDirectory(name));
        }
    }
}
