//! `ImageServer.FindLatestImage` (`imageserver.md §3.9`).

use crate::rpc::prelude::*;
use crate::selection;
use protocol::image_server::{FindLatestImageRequest, FindLatestImageResponse};

/// The image of a directory that was added last. None is no error; an unknown directory is, in the reply.
pub(crate) struct FindLatestImage(pub(crate) Shared);

impl RequestReply for FindLatestImage {
    const NAME: &'static str = "FindLatestImage";
    type Request = FindLatestImageRequest;
    type Reply = FindLatestImageResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, _call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let snapshot = self.0.images.snapshot();
        if !snapshot.directories.contains_key(request.directory_name.as_str()) {
            let error = format!("unknown directory: {}", request.directory_name);
            return Ok(Self::Reply {
                error,
                ..Self::Reply::default()
            });
        }
        let image_name = selection::latest(&snapshot, &request).unwrap_or_default();
        Ok(Self::Reply {
            image_name,
            error: String::new(),
        })
    }
}
