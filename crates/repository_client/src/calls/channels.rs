//! Parts of a repository.

use crate::call::Call;
use crate::{Client, ClientError, Image};
use repository::Uuid;
use repository::json::Value;

impl Client {
    /// The channels: objects with `name`, `description`, perhaps `default`; `None` if the repository has none.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn channels(&self) -> Result<Option<Vec<Value>>, ClientError> {
        match self.json(Call::get("/channels")).await {
            Ok(Value::Array(channels)) => Ok(Some(channels)),
            Ok(_) => Err(ClientError::Answer("channels that are no list".to_owned())),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts an image, which is on this client's channel, on another one as well.
    ///
    /// # Errors
    /// There is no such channel (422), or the image is not on this one (404).
    pub async fn channel_add(&self, uuid: Uuid, channel: &str) -> Result<Image, ClientError> {
        let body = serde_json::json!({ "channel": channel });
        let call = Call::post(format!("/images/{uuid}")).with("action", "channel-add");
        self.image(call.json(&body)).await
    }
}
