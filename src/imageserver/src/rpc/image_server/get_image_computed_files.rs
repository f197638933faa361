//! `ImageServer.GetImageComputedFiles` (`imageserver.md §3.13`).

use crate::rpc::prelude::*;
use protocol::image_server::{GetImageComputedFilesRequest, GetImageComputedFilesResponse};

/// The computed files of an image, in the order of its tree.
pub(crate) struct GetImageComputedFiles(pub(crate) Shared);

impl RequestReply for GetImageComputedFiles {
    const NAME: &'static str = "GetImageComputedFiles";
    type Request = GetImageComputedFilesRequest;
    type Reply = GetImageComputedFilesResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, _call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let snapshot = self.0.images.snapshot();
        Ok(match snapshot.images.get(request.image_name.as_str()) {
            Some(entry) => Self::Reply {
                computed_files: entry.computed_files.clone(),
                image_exists: true,
            },
            None => Self::Reply::default(),
        })
    }
}
