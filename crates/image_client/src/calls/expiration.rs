//! When images expire (`imageserver.md §3.3`, `§3.13`).

use gob::Time;
use protocol::image_server::*;

use crate::error::Error;
use crate::server::{ImageServer, refusal};

impl ImageServer {
    /// Sets a new expiration; zero is never.
    ///
    /// # Errors
    /// The call failed, or the server's refusal.
    pub async fn change_image_expiration(&mut self, name: &str, expires_at: Time) -> Result<(), Error> {
        let request = ChangeImageExpirationRequest {
            expires_at,
            image_name: name.to_owned(),
        };
        let reply: ChangeImageExpirationResponse =
            self.call("ImageServer.ChangeImageExpiration", &request).await?;
        refusal(reply.error)
    }

    /// When an image expires; nothing if never.
    ///
    /// # Errors
    /// The call failed, or the image does not exist.
    pub async fn get_image_expiration(&mut self, name: &str) -> Result<Option<Time>, Error> {
        let request = GetImageExpirationRequest {
            image_name: name.to_owned(),
        };
        let reply: GetImageExpirationResponse = self.call("ImageServer.GetImageExpiration", &request).await?;
        refusal(reply.error)?;
        Ok(Some(reply.expires_at).filter(|time| !time.is_zero()))
    }
}
