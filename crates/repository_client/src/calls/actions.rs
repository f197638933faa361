//! Activate, enable, disable, and taking an account's copy of an image.

use crate::call::Call;
use crate::{Client, ClientError, Image};
use repository::Uuid;

impl Client {
    /// Makes an image active: its file cannot be changed any more.
    ///
    /// # Errors
    /// It has no file (`NoActivationNoFile`), or is active (`ImageAlreadyActivated`).
    pub async fn activate(&self, uuid: Uuid) -> Result<Image, ClientError> {
        self.act(uuid, "activate").await
    }

    /// Makes a disabled image usable again.
    ///
    /// # Errors
    /// It is not there, or not the caller's.
    pub async fn enable(&self, uuid: Uuid) -> Result<Image, ClientError> {
        self.act(uuid, "enable").await
    }

    /// Hides an image from lists; nothing new is made of it.
    ///
    /// # Errors
    /// It is not there, or not the caller's.
    pub async fn disable(&self, uuid: Uuid) -> Result<Image, ClientError> {
        self.act(uuid, "disable").await
    }

    /// Makes an account's own copy of an image that is shared with it; in datacenters only.
    ///
    /// # Errors
    /// It is not shared (`ImageNotShared`), or this is no datacenter's repository (404).
    pub async fn clone_image(&self, uuid: Uuid, account: Uuid) -> Result<Image, ClientError> {
        let call = Call::post(format!("/images/{uuid}/clone")).with("account", account.to_string());
        self.image(call.long()).await
    }

    async fn act(&self, uuid: Uuid, action: &str) -> Result<Image, ClientError> {
        self.image(Call::post(format!("/images/{uuid}")).with("action", action))
            .await
    }
}
