//! Accounts that may see a private image.

use crate::call::Call;
use crate::{Client, ClientError, Image};
use repository::Uuid;
use repository::json::Value;

impl Client {
    /// Shares an image with accounts.
    ///
    /// # Errors
    /// It is not there, or not the caller's.
    pub async fn acl_add(&self, uuid: Uuid, accounts: &[Uuid]) -> Result<Image, ClientError> {
        self.change_acl(uuid, "add", accounts).await
    }

    /// Shares it no longer.
    ///
    /// # Errors
    /// It is not there, or not the caller's.
    pub async fn acl_remove(&self, uuid: Uuid, accounts: &[Uuid]) -> Result<Image, ClientError> {
        self.change_acl(uuid, "remove", accounts).await
    }

    async fn change_acl(&self, uuid: Uuid, action: &str, accounts: &[Uuid]) -> Result<Image, ClientError> {
        let accounts: Value = accounts.iter().map(Uuid::to_string).collect();
        let call = Call::post(format!("/images/{uuid}/acl")).with("action", action);
        self.image(call.json(&accounts)).await
    }
}
