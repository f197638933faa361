//! `ImageServer.ChownDirectory` (`imageserver.md §3.5`).

use crate::rpc::prelude::*;
use protocol::image_server::{ChangeOwnerRequest, ChangeOwnerResponse};

/// Gives a directory to a group. The group must be known on this host.
pub(crate) struct ChownDirectory(pub(crate) Shared);

impl RequestReply for ChownDirectory {
    const NAME: &'static str = "ChownDirectory";
    type Request = ChangeOwnerRequest;
    type Reply = ChangeOwnerResponse;

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let Self::Request {
            directory_name,
            owner_group,
        } = request;
        self.0
            .images
            .chown_directory(&directory_name, &owner_group, requester(call))
            .await?;
        tracing::info!(
            "ChownDirectory({directory_name}) to: \"{owner_group}\"{}",
            by(call)
        );
        Ok(ChangeOwnerResponse {})
    }
}
