//! Changes of a manifest.

use crate::call::Call;
use crate::{Client, ClientError, Image};
use repository::Uuid;
use repository::json::{Object, Value};
use reqwest::header::IF_MATCH;

impl Client {
    /// Changes fields; `null` removes one. With the entity tag of what the change was made for
    /// ([`get_with`](Self::get_with)), only if nobody changed the image meanwhile.
    ///
    /// # Errors
    /// A field cannot be changed (422), or somebody did (412, `PreconditionFailed`).
    pub async fn update(
        &self,
        uuid: Uuid,
        changes: &Object,
        known_tag: Option<&str>,
    ) -> Result<Image, ClientError> {
        let mut call = Call::post(format!("/images/{uuid}"))
            .with("action", "update")
            .json(&Value::Object(changes.clone()));
        if let Some(tag) = known_tag {
            call = call.header(IF_MATCH, tag);
        }
        self.image(call).await
    }
}
