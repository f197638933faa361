//! `ImageServer.DeleteDirectory` (`imageserver.md §3.6`).

use crate::rpc::prelude::*;
use protocol::image_server::{DeleteDirectoryRequest, DeleteDirectoryResponse};

/// Removes an empty directory; errors travel in the reply.
pub(crate) struct DeleteDirectory(pub(crate) Shared);

impl RequestReply for DeleteDirectory {
    const NAME: &'static str = "DeleteDirectory";
    type Request = DeleteDirectoryRequest;
    type Reply = DeleteDirectoryResponse;

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let name = request.directory_name;
        if let Some(refusal) = self.0.may_not_delete() {
            return Err(refusal.into());
        }
        match self.0.images.delete_directory(&name, requester(call)).await {
            Ok(_) => {
                tracing::info!("DeleteDirectory({name}){}", by(call));
                Ok(Self::Reply { error: String::new() })
            }
            Err(error) => Ok(Self::Reply {
                error: error.to_string(),
            }),
        }
    }
}
