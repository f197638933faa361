//! The join of this program's repositories with an image server; others answer 422.

use crate::call::Call;
use crate::{Client, ClientError, StartedJob};
use repository::Uuid;

impl Client {
    /// Has an image of the repository's image server published, on this client's channel. Once: who asks again is told the
    /// same image.
    ///
    /// # Errors
    /// No image server is configured (501, `NotAvailable`). What goes wrong later is in the job.
    pub async fn publish(&self, image: &str, compression: Option<&str>) -> Result<StartedJob, ClientError> {
        let call = Call::post("/images")
            .with("action", "publish")
            .with("image", image)
            .with_some("compression", compression);
        self.start_job(call).await
    }

    /// Has an image's file, an archive of a root file system, made an image of the image server.
    ///
    /// # Errors
    /// As [`publish`](Self::publish); or the image is not active.
    pub async fn take_in(&self, uuid: Uuid) -> Result<StartedJob, ClientError> {
        let call = Call::post(format!("/images/{uuid}")).with("action", "take-in");
        self.start_job(call).await
    }
}
