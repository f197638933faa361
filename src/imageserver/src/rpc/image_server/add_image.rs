//! `ImageServer.AddImage` (`imageserver.md §3.1`).

use crate::rpc::image_server::add_image_trusted::add;
use crate::rpc::prelude::*;
use protocol::image_server::{AddImageRequest, AddImageResponse};

/// Adds an image in the caller's name, now: what the caller says about that is overwritten.
pub(crate) struct AddImage(pub(crate) Shared);

impl RequestReply for AddImage {
    const NAME: &'static str = "AddImage";
    type Request = AddImageRequest;
    type Reply = AddImageResponse;

    fn limits(&self) -> gob::Limits {
        limits::image()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        add(&self.0, call, request, false, Self::NAME).await
    }
}
