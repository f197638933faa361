//! `ImageServer.RestoreImageFromArchive` (`imageserver.md §3.12`).

use crate::rpc::prelude::*;
use protocol::image_server::{RestoreImageFromArchiveRequest, RestoreImageFromArchiveResponse};

/// Brings an archived image back; errors travel in the reply.
pub(crate) struct RestoreImageFromArchive(pub(crate) Shared);

impl RequestReply for RestoreImageFromArchive {
    const NAME: &'static str = "RestoreImageFromArchive";
    type Request = RestoreImageFromArchiveRequest;
    type Reply = RestoreImageFromArchiveResponse;

    fn limits(&self) -> gob::Limits {
        limits::image()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        if self.0.replicator.is_some() {
            return Ok(Self::Reply {
                replication_master: self.0.master(),
                ..Self::Reply::default()
            });
        }
        let Self::Request {
            expires_at,
            archive_data,
        } = request;
        match self
            .0
            .images
            .restore(archive_data, expires_at, requester(call))
            .await
        {
            Ok(name) => {
                tracing::info!("RestoreImageFromArchive({name}){}", by(call));
                Ok(Self::Reply::default())
            }
            Err(error) => {
                tracing::info!("RestoreImageFromArchive(){}: {error}", by(call));
                Ok(Self::Reply {
                    error: error.to_string(),
                    ..Self::Reply::default()
                })
            }
        }
    }
}
