//! The image index: which images and directories there are, who owns them, when they expire; adding and deleting.
//!
//! Readers take the published snapshot ([`ImageIndex::snapshot`]) and never wait for a writer. Per image it holds the
//! metadata without the tree and a compact list of its objects; trees are decoded when asked for, behind a small cache.
//!
//! The order of adding is the durability contract: references are taken, the file is written, flushed and linked, its
//! directory is flushed, the snapshot is published, the event is sent, the caller is answered.

mod access;
mod actor;
mod add;
mod archive;
mod codec;
mod damage;
mod delete;
mod directories;
mod entry;
mod error;
mod event;
mod expiration;
mod expiries;
mod expiry;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod groups;
mod jobs;
mod load;
mod object_list;
mod packages;
mod put_back;
mod quarantine;
mod recheck;
mod reconcile;
mod request;
mod restore;
mod saved;
mod shared;
mod sharing;
mod snapshot;
mod stored;
mod trees;

pub(crate) use actor::{ImageIndexActor, NAME};
pub use damage::{DamageReport, DamagedImage, DamagedObject};
pub(crate) use entry::Pools;
pub use entry::{DirectoryEntry, EntryState, ImageEntry, InodeCounts};
pub use error::IndexError;
pub(crate) use event::EVENTS;
pub use event::IndexEvent;
pub(crate) use load::{load, took};
pub use object_list::{ImageObject, ObjectList};
pub use packages::PackageList;
pub(crate) use recheck::ImageFile;
pub use request::{AddRequest, Requester};
pub(crate) use saved::save;
pub(crate) use shared::{IMAGE_JOBS, IMAGE_THREADS, Shared};
pub use sharing::{Holders, Own};
pub use snapshot::IndexSnapshot;
pub(crate) use trees::Trees;

use crate::handle::{CallError, Handle, Health};
use gob::Time;
use image::Image;
use std::sync::Arc;
use tokio::sync::broadcast;

/// The image index's handle. Clones are cheap.
#[derive(Clone)]
pub struct ImageIndex {
    pub(crate) shared: Arc<Shared>,
    pub(crate) actor: Handle<ImageIndexActor>,
}

impl ImageIndex {
    /// What there is, at this moment. Costs a few nanoseconds.
    pub fn snapshot(&self) -> Arc<IndexSnapshot> {
        self.shared.snapshot.load_full()
    }

    /// Changes from now on. Subscribe before taking the snapshot: then a change in between is told twice and not never.
    /// A receiver that falls behind by 4096 events is told so.
    pub fn subscribe(&self) -> broadcast::Receiver<IndexEvent> {
        self.shared.events.subscribe()
    }

    /// An image with its tree, `None` if there is none. An error with the cause if it is quarantined.
    pub async fn image(&self, name: &str) -> Result<Option<Arc<Image>>, IndexError> {
        match trees::image(&self.shared, name).await {
            Err(error @ (IndexError::Quarantined { .. } | IndexError::Damaged { .. })) => {
                // Repaired since, or damaged since: either way the index learns of it now.
                match self.actor.call(quarantine::Look { name: name.into() }).await? {
                    true => trees::image(&self.shared, name).await,
                    false => Err(error),
                }
            }
            read => read,
        }
    }

    /// Everything that is known to be damaged, with what to do about it.
    pub async fn damage(&self) -> Result<DamageReport, IndexError> {
        damage::report_on_pool(&self.shared).await
    }

    /// The checks of adding that come before a replica hands the image to its master (`imageserver.md §3.2`, 1 and 2):
    /// the name is free, there is a tree, the objects are present.
    pub fn check_add(&self, request: &AddRequest) -> Result<(), IndexError> {
        add::check(&self.shared, request)
    }

    /// Adds an image (`imageserver.md §3.1, §3.2`). One that has expired already is ignored, as success.
    pub async fn add(&self, request: AddRequest) -> Result<(), IndexError> {
        self.actor.call(add::Add(Box::new(request))).await?
    }

    /// Deletes an image, leaving a tombstone (`imageserver.md §3.7`). A quarantined one may be deleted.
    pub async fn delete(&self, name: &str, requester: Requester) -> Result<(), IndexError> {
        self.actor
            .call(delete::Delete {
                name: name.into(),
                requester,
            })
            .await?
    }

    /// Changes when an image expires, zero for never (`imageserver.md §2.3, §3.3`).
    pub async fn change_expiration(
        &self,
        name: &str,
        expires_at: Time,
        requester: Requester,
    ) -> Result<(), IndexError> {
        self.actor
            .call(expiration::ChangeExpiration {
                name: name.into(),
                expires_at,
                requester,
            })
            .await?
    }

    /// Looks at the clock now: after it was set. True while some expired image is still on its way out: ask again.
    pub async fn look_at_clock(&self) -> Result<bool, CallError> {
        self.actor.call(expiry::LookAtClock).await
    }

    /// Makes a directory, with `make_all` its parents as well (`imageserver.md §3.20`).
    pub async fn make_directory(
        &self,
        name: &str,
        make_all: bool,
        requester: Requester,
    ) -> Result<(), IndexError> {
        let name = image::name::clean(name);
        self.actor
            .call(directories::Make {
                name,
                make_all,
                requester,
            })
            .await?
    }

    /// Makes a directory as the master announces it, or changes its metadata to that (`imageserver.md §7.2`).
    pub async fn put_directory(&self, directory: image::Directory) -> Result<(), IndexError> {
        self.actor.call(directories::Put(directory)).await?
    }

    /// Gives a directory to a group, empty for none (`imageserver.md §3.5`).
    pub async fn chown_directory(
        &self,
        name: &str,
        owner_group: &str,
        requester: Requester,
    ) -> Result<(), IndexError> {
        let name = image::name::clean(name);
        let owner_group = owner_group.to_owned();
        self.actor
            .call(directories::Chown {
                name,
                owner_group,
                requester,
            })
            .await?
    }

    /// Removes an empty directory (`imageserver.md §3.6`).
    pub async fn delete_directory(&self, name: &str, requester: Requester) -> Result<(), IndexError> {
        self.actor
            .call(directories::Remove {
                name: name.into(),
                requester,
            })
            .await?
    }

    /// An image with what is needed to restore it, sealed with this server's secret (`imageserver.md §3.11`); `None` if
    /// there is none.
    pub async fn archive(&self, name: &str) -> Result<Option<Vec<u8>>, IndexError> {
        archive::archive(&self.shared, name).await
    }

    /// Brings an archived image back (`imageserver.md §3.12`); its name.
    pub async fn restore(
        &self,
        archive_data: Vec<u8>,
        expires_at: Time,
        requester: Requester,
    ) -> Result<String, IndexError> {
        let archive = archive::open(&self.shared, archive_data).await?;
        self.actor
            .call(restore::Restore {
                archive: Box::new(archive),
                expires_at,
                requester,
            })
            .await?
    }

    /// Reads a quarantined image again at once, which otherwise happens by itself: when somebody asks for it, and every few
    /// seconds. Its entry says afterwards whether that helped.
    pub async fn reload(&self, name: &str) -> Result<(), IndexError> {
        self.actor.call(quarantine::Reload { name: name.into() }).await?
    }

    /// Removes a quarantined image without a tombstone and without telling anybody: a replica gets it again from its
    /// master (`imageserver.md §6.7`).
    pub async fn discard(&self, name: &str) -> Result<(), IndexError> {
        self.actor.call(quarantine::Discard { name: name.into() }).await?
    }

    /// In what a copy differs from what is known of the quarantined image of this name; nothing if it may be put back.
    pub(crate) fn copy_differs(&self, name: &str, image: &Image) -> Option<&'static str> {
        let snapshot = self.snapshot();
        let entry = snapshot.quarantined.get(name)?;
        put_back::difference(entry, image)
    }

    /// Puts a whole copy in the place of a quarantined image's damaged file, durably, if it is the same image. Its objects are
    /// here, under a lease of the caller's.
    pub(crate) async fn put_back(&self, name: &Arc<str>, image: Image) -> Result<(), IndexError> {
        let request = put_back::PutBack {
            name: name.clone(),
            image: Box::new(image),
        };
        self.actor.call(request).await?
    }

    /// Tells subscribers that an image is gone which was never here, but which they were told of.
    pub(crate) fn announce_deleted(&self, name: Arc<str>) {
        self.shared.announce_deleted(name);
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        health.last_error = health
            .last_error
            .or_else(|| self.shared.last_job_error.lock().clone());
        health
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(actor::DebugPanic).await
    }
}
