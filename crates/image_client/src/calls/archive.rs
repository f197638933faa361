//! Archives of images and imports (`imageserver.md §3.11`, `§3.12`, `§3.21`).

use gob::Time;
use protocol::image_server::*;

use crate::error::Error;
use crate::server::{ImageServer, refusal};

impl ImageServer {
    /// The archive of an image, signed by its server.
    ///
    /// # Errors
    /// The call failed, the server's refusal, or [`Error::GoToMaster`].
    pub async fn get_image_archive(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        let request = GetImageArchiveRequest {
            image_name: name.to_owned(),
        };
        let reply: GetImageArchiveResponse = self.call("ImageServer.GetImageArchive", &request).await?;
        master(reply.replication_master)?;
        refusal(reply.error)?;
        Ok(reply.archive_data)
    }

    /// Brings an archived image back; its objects must be there.
    ///
    /// # Errors
    /// The call failed, the server's refusal, or [`Error::GoToMaster`].
    pub async fn restore_image(&mut self, archive_data: Vec<u8>, expires_at: Time) -> Result<(), Error> {
        let request = RestoreImageFromArchiveRequest {
            expires_at,
            archive_data,
        };
        let reply: RestoreImageFromArchiveResponse =
            self.call("ImageServer.RestoreImageFromArchive", &request).await?;
        master(reply.replication_master)?;
        refusal(reply.error)
    }

    /// Has the server fetch a tree by HTTP and make an image of it.
    ///
    /// # Errors
    /// The call failed, or the server's refusal.
    pub async fn import_tree(
        &mut self,
        directory: &str,
        tree_url: &str,
        expires_at: Time,
    ) -> Result<ImportTreeResponse, Error> {
        let request = ImportTreeRequest {
            directory_name: directory.to_owned(),
            expires_at,
            tree_url: tree_url.to_owned(),
        };
        let reply: ImportTreeResponse = self.call("ImageServer.ImportTree", &request).await?;
        refusal(reply.error.clone())?;
        Ok(reply)
    }
}

fn master(address: String) -> Result<(), Error> {
    if address.is_empty() {
        Ok(())
    } else {
        Err(Error::GoToMaster(address))
    }
}
