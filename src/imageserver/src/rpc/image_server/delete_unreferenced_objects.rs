//! `ImageServer.DeleteUnreferencedObjects` (`imageserver.md §3.8`).

use crate::rpc::prelude::*;
use protocol::image_server::{DeleteUnreferencedObjectsRequest, DeleteUnreferencedObjectsResponse};

/// Deletes objects that no image needs, longest unreferenced first, until at least so much is gone.
pub(crate) struct DeleteUnreferencedObjects(pub(crate) Shared);

impl RequestReply for DeleteUnreferencedObjects {
    const NAME: &'static str = "DeleteUnreferencedObjects";
    type Request = DeleteUnreferencedObjectsRequest;
    type Reply = DeleteUnreferencedObjectsResponse;

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let Self::Request { percentage, bytes } = request;
        tracing::info!("DeleteUnreferencedObjects({percentage}%, {bytes}){}", by(call));
        self.0.objects.delete_unreferenced(percentage, bytes).await?;
        Ok(DeleteUnreferencedObjectsResponse {})
    }
}
