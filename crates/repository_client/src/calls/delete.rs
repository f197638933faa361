//! The end of an image.

use crate::call::Call;
use crate::{Client, ClientError};
use repository::Uuid;

impl Client {
    /// Deletes an image; where it is on several channels it goes from this one only, unless `all_channels`.
    ///
    /// # Errors
    /// Others are based on it (422, `ImageHasDependentImages`), or it is not there.
    pub async fn delete(&self, uuid: Uuid, all_channels: bool) -> Result<(), ClientError> {
        let call = Call::delete(format!("/images/{uuid}")).with_flag("force_all_channels", all_channels);
        self.send(call).await.map(|_| ())
    }
}
