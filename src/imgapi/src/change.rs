//! Changes of one image: read, made anew by a pure function, stored if nobody else was faster, else from the beginning.

use actors::RepositoryError;
use actors::image_repository::{MAXIMUM_ATTEMPTS, Slot, Stored, Upload};
use repository::access::{check_owner, check_visible};
use repository::catalogue::Entry;
use repository::channels::Scope;
use repository::manifest::Record;
use repository::{ApiError, Result, Uuid};

use crate::answer::Answer;
use crate::failures;
use crate::request::Asked;

/// Which image, and who asks in which part of the repository: what every change begins with.
pub(crate) struct Change {
    pub(crate) uuid: Uuid,
    /// On whose behalf; `None` for an operator.
    pub(crate) account: Option<Uuid>,
    pub(crate) scope: Scope,
}

impl Change {
    /// Of a request: path, channel, account, in that order.
    ///
    /// # Errors
    /// One of them is wrong.
    pub(crate) fn new(asked: &Asked) -> Result<Self> {
        Ok(Self {
            uuid: asked.image()?,
            scope: asked.scope(false)?,
            account: asked.parameters.account()?,
        })
    }

    /// Whether the caller may change it.
    ///
    /// # Errors
    /// It is not to be seen: 404; it is another's: 422.
    pub(crate) fn check(&self, record: &Record) -> Result<()> {
        check_visible(record, self.account, &self.scope)?;
        check_owner(record, self.account)
    }

    /// The image, if the caller may change it.
    ///
    /// # Errors
    /// There is none, or he may not.
    pub(crate) async fn owned(&self, asked: &Asked) -> Result<Stored> {
        let stored = read(asked, self.uuid).await?;
        self.check(&stored.record)?;
        Ok(stored)
    }

    /// Gives the image the record that `make` makes of what it is, and answers with it.
    ///
    /// # Errors
    /// The caller may not, `make` says no, or it cannot be stored.
    pub(crate) async fn make(
        &self,
        asked: &Asked,
        mut make: impl FnMut(&Record) -> Result<Record>,
    ) -> Result<Stored> {
        for _ in 0..MAXIMUM_ATTEMPTS {
            let stored = self.owned(asked).await?;
            let record = make(&stored.record)?;
            match asked.state.repository().replace(record, stored.revision).await {
                Err(RepositoryError::Changed) => {}
                made => return made.map_err(|error| error.answer()),
            }
        }
        Err(failures::always_changed(self.uuid))
    }

    /// Puts an upload in its place, with the record that `make` makes.
    ///
    /// # Errors
    /// As above; the upload is gone then.
    pub(crate) async fn commit(
        &self,
        asked: &Asked,
        mut upload: Upload,
        mut make: impl FnMut(&Record) -> Result<Record>,
    ) -> Result<Stored> {
        for _ in 0..MAXIMUM_ATTEMPTS {
            let stored = self.owned(asked).await?;
            let record = make(&stored.record)?;
            let failed = match asked
                .state
                .repository()
                .commit(upload, record, stored.revision)
                .await
            {
                Ok(stored) => return Ok(stored),
                Err(failed) => failed,
            };
            match (failed.error, failed.upload) {
                (RepositoryError::Changed, Some(again)) => upload = *again,
                (error, _) => return Err(error.answer()),
            }
        }
        Err(failures::always_changed(self.uuid))
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// Too many are in progress, or the disk.
    pub(crate) async fn begin(&self, asked: &Asked, slot: Slot) -> Result<Upload> {
        let upload = asked
            .state
            .repository()
            .begin_upload(self.uuid, slot, false)
            .await;
        upload.map_err(|error| error.answer())
    }
}

/// An image's record.
///
/// # Errors
/// There is none.
pub(crate) async fn read(asked: &Asked, uuid: Uuid) -> Result<Stored> {
    let stored = asked.state.repository().record(uuid).await;
    stored
        .map_err(|error| error.answer())?
        .ok_or_else(|| ApiError::image_not_found(uuid))
}

/// The answer of nearly every change: the image as it is now, with its entity tag.
pub(crate) fn shown(asked: &Asked, record: &Record) -> Answer {
    Answer::image(&entry(asked, record), asked.version, false)
}

/// A record as lists have it.
pub(crate) fn entry(asked: &Asked, record: &Record) -> Entry {
    Entry::new(record, asked.settings.mode)
}
