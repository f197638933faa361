//! What others hold.

use super::actor::{DebugPanic, ImageRepositoryActor, NAME};
use super::read::{self, Found};
use super::request::Change;
use super::upload::WaitingFiles;
use super::{RecordProblem, RepositoryChange, RepositoryError, Result, Revision, Shared, Stored};
use crate::handle::{CallError, Handle, Health};
use repository::Uuid;
use repository::catalogue::{Catalogue, State};
use repository::manifest::Record;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::broadcast;

/// Tries of a change whose image others change at the same time.
pub const MAXIMUM_ATTEMPTS: usize = 8;

/// The repository's handle. Clones are cheap.
#[derive(Clone)]
pub struct ImageRepository {
    pub(super) shared: Arc<Shared>,
    pub(super) actor: Handle<ImageRepositoryActor>,
}

impl ImageRepository {
    /// All images. Never waits.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.shared.catalogue.load_full()
    }

    /// An image's record, with what a change of it needs; `None` if there is no such image.
    ///
    /// # Errors
    /// `Unreadable`: somebody spoilt its file since it was read; `Storage`.
    pub async fn record(&self, uuid: Uuid) -> Result<Option<Stored>> {
        if self.catalogue().get(uuid).is_none() {
            return Ok(None);
        }
        let shared = self.shared.clone();
        let found = self
            .shared
            .readers
            .run(move || read::record(&shared, uuid))
            .await??;
        match found {
            Found::Record(loaded) => Ok(Some(Stored {
                record: loaded.record,
                revision: loaded.revision,
            })),
            Found::Problem(problem) => Err(RepositoryError::Unreadable(problem)),
            Found::Nothing => Ok(None),
        }
    }

    /// Adds an image.
    ///
    /// # Errors
    /// `Exists`, `NoSpace`, `Storage`, `Call`.
    pub async fn create(&self, record: Record) -> Result<Stored> {
        let files = WaitingFiles::new(self.shared.files.clone(), Vec::new());
        self.change_record(Change::Create { record, files }).await
    }

    /// Gives an image another record.
    ///
    /// # Errors
    /// `Changed`, `Missing`, `NoSpace`, `Storage`, `Call`.
    pub async fn replace(&self, record: Record, of: Revision) -> Result<Stored> {
        self.change_record(Change::Replace {
            record,
            of,
            upload: None,
            drops_icon: false,
        })
        .await
    }

    /// Gives an image a record without an icon, and removes the icon.
    ///
    /// # Errors
    /// `Changed`, `Missing`, `NoSpace`, `Storage`, `Call`.
    pub async fn drop_icon(&self, record: Record, of: Revision) -> Result<Stored> {
        self.change_record(Change::Replace {
            record,
            of,
            upload: None,
            drops_icon: true,
        })
        .await
    }

    /// Gives an image another record with another UUID; its files go along.
    ///
    /// # Errors
    /// `Changed`, `Missing`, `Exists`: the new name is taken; `NoSpace`, `Storage`, `Call`.
    pub async fn rename(&self, old: Uuid, record: Record, of: Revision) -> Result<Stored> {
        self.change_record(Change::Rename { old, record, of }).await
    }

    /// Removes an image, its files and its icon. The archived manifest stays.
    ///
    /// # Errors
    /// `Changed`, `Missing`, `Storage`, `Call`. With `Storage` it may be done later all the same, at the next change or start.
    pub async fn delete(&self, uuid: Uuid, of: Revision) -> Result<()> {
        self.change(Change::Delete { uuid, of }).await.map(drop)
    }

    pub(super) async fn change(&self, change: Change) -> Result<Option<Stored>> {
        self.actor.call(change).await?
    }

    pub(super) async fn change_record(&self, change: Change) -> Result<Stored> {
        let stored = self.change(change).await?;
        stored.ok_or_else(|| RepositoryError::Internal("a change has no record".to_owned()))
    }

    /// Changes from now on. Who lags behind too far is told so by the receiver, and looks at the catalogue.
    pub fn changes(&self) -> broadcast::Receiver<RepositoryChange> {
        self.shared.events.subscribe()
    }

    /// Removes placeholders whose time is over; gives how many. It happens every half hour by itself.
    ///
    /// # Errors
    /// `Storage`, `Call`.
    pub async fn purge_expired(&self, now: SystemTime) -> Result<usize> {
        let catalogue = self.catalogue();
        let is_placeholder = |state| matches!(state, State::Creating | State::Failed);
        let placeholders = catalogue.iter().filter(|entry| is_placeholder(entry.state()));
        let mut count = 0;
        for entry in placeholders {
            let Some(stored) = self.record(entry.uuid()).await? else {
                continue;
            };
            if !stored.record.is_expired(now) {
                continue;
            }
            match self.delete(entry.uuid(), stored.revision).await {
                Ok(()) => {
                    count += 1;
                    tracing::info!("placeholder {} has expired and is removed", entry.uuid());
                }
                // Somebody is at it: it is looked at again next time.
                Err(RepositoryError::Changed | RepositoryError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }

    /// Files that were found to be no records, and are left alone.
    pub fn problems(&self) -> Arc<Vec<RecordProblem>> {
        self.shared.problems.load_full()
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        health.trouble = self.shared.trouble();
        health.last_error = health.trouble.clone().or(health.last_error);
        health
    }

    /// Waits until what is done beside requests (archived manifests, leftovers, the index) was done once since the start.
    pub async fn tidied(&self) {
        // An error would be the end of the repository, which holds the sender.
        let _ = self
            .shared
            .tidied
            .subscribe()
            .wait_for(|rounds| *rounds > 0)
            .await;
    }

    /// Makes the actor panic, if the settings allow it: for tests of supervision.
    ///
    /// # Errors
    /// Always, if they do.
    pub async fn debug_panic(&self) -> std::result::Result<(), CallError> {
        self.actor.call(DebugPanic).await
    }
}

/// The name others know it by.
pub(super) fn new(shared: Arc<Shared>) -> ImageRepository {
    ImageRepository {
        shared,
        actor: Handle::new(NAME),
    }
}
