//! Changes of one image: read, made anew by a pure function, stored if nobody else was faster, else from the beginning.

use super::Workroom;
use crate::RepositoryError;
use crate::image_repository::{MAXIMUM_ATTEMPTS, Stored, Upload};
use repository::manifest::Record;
use repository::{ApiError, Code, Uuid};

impl Workroom {
    /// An image's record, if there is one.
    pub(super) async fn find(&self, uuid: Uuid) -> Result<Option<Stored>, ApiError> {
        let found = self.repository.record(uuid).await;
        found.map_err(|error| error.answer())
    }

    /// An image's record.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn record(&self, uuid: Uuid) -> Result<Stored, ApiError> {
        let found = self.find(uuid).await?;
        found.ok_or_else(|| ApiError::image_not_found(uuid))
    }

    /// Gives an image the record that `make` makes of what it is.
    pub(super) async fn change(
        &self,
        uuid: Uuid,
        make: impl Fn(&Record) -> Result<Record, ApiError>,
    ) -> Result<Stored, ApiError> {
        for _ in 0..MAXIMUM_ATTEMPTS {
            let stored = self.record(uuid).await?;
            let record = make(&stored.record)?;
            match self.repository.replace(record, stored.revision).await {
                Err(RepositoryError::Changed) => {}
                changed => return changed.map_err(|error| error.answer()),
            }
        }
        Err(always_changed(uuid))
    }

    /// Puts an upload in its place, with the record that `make` makes.
    pub(super) async fn commit(
        &self,
        mut upload: Upload,
        make: impl Fn(&Record) -> Result<Record, ApiError>,
    ) -> Result<Stored, ApiError> {
        let uuid = upload.uuid();
        for _ in 0..MAXIMUM_ATTEMPTS {
            let stored = self.record(uuid).await?;
            let record = make(&stored.record)?;
            let failed = match self.repository.commit(upload, record, stored.revision).await {
                Ok(stored) => return Ok(stored),
                Err(failed) => failed,
            };
            match (failed.error, failed.upload) {
                (RepositoryError::Changed, Some(again)) => upload = *again,
                (error, _) => return Err(error.answer()),
            }
        }
        Err(always_changed(uuid))
    }

    /// Disables an image.
    pub(crate) async fn disable(&self, uuid: Uuid) -> Result<(), ApiError> {
        self.change(uuid, |record| Ok(record.with_disabled(true)))
            .await
            .map(|_| ())
    }

    /// Deletes an image; one that is not there is as good as deleted.
    pub(crate) async fn delete(&self, uuid: Uuid) -> Result<(), ApiError> {
        self.remove(uuid, false).await
    }

    /// Removes an image, unless it is active and such are kept; one that is not there is as good as removed.
    pub(super) async fn remove(&self, uuid: Uuid, keeps_active: bool) -> Result<(), ApiError> {
        for _ in 0..MAXIMUM_ATTEMPTS {
            let Some(stored) = self.find(uuid).await? else {
                return Ok(());
            };
            if keeps_active && stored.record.is_activated() {
                return Ok(());
            }
            match self.repository.delete(uuid, stored.revision).await {
                Ok(()) | Err(RepositoryError::Missing(_)) => return Ok(()),
                Err(RepositoryError::Changed) => {}
                Err(error) => return Err(error.answer()),
            }
        }
        Err(always_changed(uuid))
    }
}

fn always_changed(uuid: Uuid) -> ApiError {
    let message = format!("image {uuid} is being changed by others, try again");
    ApiError::new(Code::ServiceUnavailable, message)
}
