//! `ImageServer.CheckImage` (`imageserver.md §3.4`).

use crate::rpc::prelude::*;
use protocol::image_server::{CheckImageRequest, CheckImageResponse};

/// Whether an image of exactly this name exists. A quarantined image does: its name is taken.
pub(crate) struct CheckImage(pub(crate) Shared);

impl RequestReply for CheckImage {
    const NAME: &'static str = "CheckImage";
    type Request = CheckImageRequest;
    type Reply = CheckImageResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, _call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let image_exists = self
            .0
            .images
            .snapshot()
            .images
            .contains_key(request.image_name.as_str());
        Ok(CheckImageResponse { image_exists })
    }
}
