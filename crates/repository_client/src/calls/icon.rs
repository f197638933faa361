//! Icons: small pictures.

use crate::call::{Body, Call};
use crate::{Client, ClientError, Image};
use repository::Uuid;
use repository::digest::Digester;
use repository::manifest::MAXIMUM_ICON_BYTES;
use reqwest::header::{CONTENT_TYPE, HeaderName};

impl Client {
    /// Gives an image an icon; `kind` is `image/jpeg`, `image/gif` or `image/png`.
    ///
    /// # Errors
    /// It is too big, or of another kind (400, `Upload`).
    pub async fn add_icon(&self, uuid: Uuid, kind: &str, bytes: Vec<u8>) -> Result<Image, ClientError> {
        let mut digester = Digester::new()?;
        digester.update(&bytes)?;
        let call = Call::put(format!("/images/{uuid}/icon")).with("sha1", digester.finish()?.sha1);
        self.image(call.body(Body::Bytes(bytes, kind.to_owned()))).await
    }

    /// An image's icon and its kind, its digest checked.
    ///
    /// # Errors
    /// It has none (404), or what arrives is not what was announced.
    pub async fn icon(&self, uuid: Uuid) -> Result<(String, Vec<u8>), ClientError> {
        let response = self.send(Call::get(format!("/images/{uuid}/icon"))).await?;
        let text = |name: HeaderName| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let kind = text(CONTENT_TYPE).unwrap_or_default();
        let expected = text(HeaderName::from_static("content-md5"));
        let most = usize::try_from(MAXIMUM_ICON_BYTES).unwrap_or(usize::MAX);
        let bytes = self.read(response, most).await?;
        let mut digester = Digester::new()?;
        digester.update(&bytes)?;
        let found = digester.finish()?.md5;
        match expected {
            None => Err(ClientError::NoDigest),
            Some(expected) if expected != found => Err(ClientError::Mismatch {
                what: "the MD5",
                found,
                expected,
            }),
            Some(_) => Ok((kind, bytes)),
        }
    }

    /// Takes an image's icon away.
    ///
    /// # Errors
    /// It has none (404).
    pub async fn delete_icon(&self, uuid: Uuid) -> Result<Image, ClientError> {
        self.image(Call::delete(format!("/images/{uuid}/icon"))).await
    }
}
