//! `ImageServer.DeleteImage` (`imageserver.md §3.7`).

use crate::rpc::prelude::*;
use protocol::image_server::{DeleteImageRequest, DeleteImageResponse};

/// Deletes an image and keeps its name from being used again. Its objects stay until room is needed.
pub(crate) struct DeleteImage(pub(crate) Shared);

impl RequestReply for DeleteImage {
    const NAME: &'static str = "DeleteImage";
    type Request = DeleteImageRequest;
    type Reply = DeleteImageResponse;

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let name = request.image_name;
        if let Some(refusal) = self.0.may_not_delete() {
            return Err(refusal.into());
        }
        self.0.images.delete(&name, requester(call)).await?;
        tracing::info!("DeleteImage({name}){}", by(call));
        Ok(DeleteImageResponse {})
    }
}
