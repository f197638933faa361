//! `ImageServer.GetImageArchive` (`imageserver.md §3.11`).

use crate::rpc::prelude::*;
use protocol::image_server::{GetImageArchiveRequest, GetImageArchiveResponse};

/// An image with everything needed to restore it, sealed with this server's secret.
pub(crate) struct GetImageArchive(pub(crate) Shared);

impl RequestReply for GetImageArchive {
    const NAME: &'static str = "GetImageArchive";
    type Request = GetImageArchiveRequest;
    type Reply = GetImageArchiveResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, _call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        if self.0.replicator.is_some() {
            // The seal is the master's.
            return Ok(Self::Reply {
                replication_master: self.0.master(),
                ..Self::Reply::default()
            });
        }
        let name = request.image_name;
        let failed = |error: String| {
            Ok(Self::Reply {
                error,
                ..Self::Reply::default()
            })
        };
        match self.0.images.archive(&name).await {
            Ok(Some(archive_data)) => Ok(Self::Reply {
                archive_data,
                ..Self::Reply::default()
            }),
            Ok(None) => failed(format!("image: {name} does not exist")),
            Err(error) => failed(error.to_string()),
        }
    }
}
