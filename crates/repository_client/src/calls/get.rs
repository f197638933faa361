//! One image.

use crate::call::{Call, MAXIMUM_ANSWER};
use crate::{Client, ClientError, Image};
use repository::Uuid;
use reqwest::StatusCode;
use reqwest::header::{ETAG, IF_NONE_MATCH};

/// How an image is asked for.
#[derive(Clone, Debug, Default)]
pub struct GetImage {
    /// With the fields for administrators: which store a file is in.
    pub admin_fields: bool,
    /// The entity tag of what is known already.
    pub known_tag: Option<String>,
}

impl Client {
    /// An image.
    ///
    /// # Errors
    /// It is not there (404, `ResourceNotFound`), or not for this caller.
    pub async fn get(&self, uuid: Uuid) -> Result<Image, ClientError> {
        self.image(Call::get(format!("/images/{uuid}"))).await
    }

    /// An image, or `None` if it is not there.
    ///
    /// # Errors
    /// Anything but its absence.
    pub async fn find(&self, uuid: Uuid) -> Result<Option<Image>, ClientError> {
        match self.get(uuid).await {
            Err(error) if error.status() == Some(404) && error.code() == Some("ResourceNotFound") => Ok(None),
            found => found.map(Some),
        }
    }

    /// An image with its entity tag, for a change that must not overwrite another's; `None` if it is as `known_tag` says.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_with(
        &self,
        uuid: Uuid,
        request: &GetImage,
    ) -> Result<Option<(Image, Option<String>)>, ClientError> {
        let mut call =
            Call::get(format!("/images/{uuid}")).with_flag("inclAdminFields", request.admin_fields);
        if let Some(tag) = &request.known_tag {
            call = call.header(IF_NONE_MATCH, tag.clone());
        }
        let response = self.send(call).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.map(str::to_owned);
        let image = Image::new(self.read_json(response, MAXIMUM_ANSWER).await?)?;
        Ok(Some((image, tag)))
    }
}
