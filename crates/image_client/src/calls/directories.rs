//! Directories of images (`imageserver.md §3.4` to `§3.6`, `§3.20`).

use protocol::image_server::*;

use srpc::CallError;

use crate::error::Error;
use crate::server::{ImageServer, refusal};

impl ImageServer {
    /// Whether a directory exists.
    ///
    /// # Errors
    /// The call failed.
    pub async fn check_directory(&mut self, name: &str) -> Result<bool, Error> {
        let request = CheckDirectoryRequest {
            directory_name: name.to_owned(),
        };
        let reply: CheckDirectoryResponse = self.call("ImageServer.CheckDirectory", &request).await?;
        Ok(reply.directory_exists)
    }

    /// Gives a directory to a group; an empty name takes it away.
    ///
    /// # Errors
    /// The call failed, or the server's refusal.
    pub async fn chown_directory(&mut self, name: &str, owner_group: &str) -> Result<(), Error> {
        let request = ChangeOwnerRequest {
            directory_name: name.to_owned(),
            owner_group: owner_group.to_owned(),
        };
        let _: ChangeOwnerResponse = self.call("ImageServer.ChownDirectory", &request).await?;
        Ok(())
    }

    /// Makes a directory, with `make_all` its parents too.
    ///
    /// # Errors
    /// The call failed, or the server's refusal.
    pub async fn make_directory(&mut self, name: &str, make_all: bool) -> Result<(), Error> {
        let request = MakeDirectoryRequest {
            directory_name: name.to_owned(),
            make_all,
        };
        let _: MakeDirectoryResponse = self.call("ImageServer.MakeDirectory", &request).await?;
        Ok(())
    }

    /// Deletes an empty directory.
    ///
    /// # Errors
    /// The call failed, or the server's refusal.
    pub async fn delete_directory(&mut self, name: &str) -> Result<(), Error> {
        let request = DeleteDirectoryRequest {
            directory_name: name.to_owned(),
        };
        let reply: DeleteDirectoryResponse = self.call("ImageServer.DeleteDirectory", &request).await?;
        refusal(reply.error)
    }

    /// What is damaged on the server; nothing if it cannot tell, as the original cannot.
    ///
    /// # Errors
    /// The call failed.
    pub async fn list_damaged(&mut self) -> Result<Option<ListDamagedResponse>, Error> {
        let request = ListDamagedRequest {};
        let reply: Result<ListDamagedResponse, Error> = self.call("ImageServer.ListDamaged", &request).await;
        match reply {
            Ok(mut damage) => {
                refusal(std::mem::take(&mut damage.error))?;
                Ok(Some(damage))
            }
            Err(Error::Call(CallError::Remote(line))) if line.contains("unknown method") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `HOST:PORT` of the master; nothing if this is one.
    ///
    /// # Errors
    /// The call failed.
    pub async fn get_replication_master(&mut self) -> Result<Option<String>, Error> {
        let request = GetReplicationMasterRequest {};
        let reply: GetReplicationMasterResponse =
            self.call("ImageServer.GetReplicationMaster", &request).await?;
        refusal(reply.error)?;
        Ok(Some(reply.replication_master).filter(|master| !master.is_empty()))
    }
}
