//! `ImageServer.MakeDirectory` (`imageserver.md §3.20`).

use crate::rpc::prelude::*;
use protocol::image_server::{MakeDirectoryRequest, MakeDirectoryResponse};

/// Makes a directory, with its parents if asked. It inherits its parent's owner group.
pub(crate) struct MakeDirectory(pub(crate) Shared);

impl RequestReply for MakeDirectory {
    const NAME: &'static str = "MakeDirectory";
    type Request = MakeDirectoryRequest;
    type Reply = MakeDirectoryResponse;

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        if let Some(refusal) = self.0.go_to_master() {
            return Err(refusal.into());
        }
        let Self::Request {
            directory_name,
            make_all,
        } = request;
        self.0
            .images
            .make_directory(&directory_name, make_all, requester(call))
            .await?;
        tracing::info!("MakeDirectory({directory_name}){}", by(call));
        Ok(MakeDirectoryResponse {})
    }
}
