//! `ImageServer.CheckDirectory` (`imageserver.md §3.4`).

use crate::rpc::prelude::*;
use protocol::image_server::{CheckDirectoryRequest, CheckDirectoryResponse};

/// Whether a directory of exactly this name exists; the root is `.`.
pub(crate) struct CheckDirectory(pub(crate) Shared);

impl RequestReply for CheckDirectory {
    const NAME: &'static str = "CheckDirectory";
    type Request = CheckDirectoryRequest;
    type Reply = CheckDirectoryResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, _call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let directory_exists = self
            .0
            .images
            .snapshot()
            .directories
            .contains_key(request.directory_name.as_str());
        Ok(CheckDirectoryResponse { directory_exists })
    }
}
