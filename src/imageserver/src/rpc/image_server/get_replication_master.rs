//! `ImageServer.GetReplicationMaster` (`imageserver.md §3.16`).

use crate::rpc::prelude::*;
use protocol::image_server::{GetReplicationMasterRequest, GetReplicationMasterResponse};

/// `HOST:PORT` of the master. Empty: this server is one.
pub(crate) struct GetReplicationMaster(pub(crate) Shared);

impl RequestReply for GetReplicationMaster {
    const NAME: &'static str = "GetReplicationMaster";
    type Request = GetReplicationMasterRequest;
    type Reply = GetReplicationMasterResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, _call: &Call, _request: Self::Request) -> Result<Self::Reply, MethodError> {
        Ok(GetReplicationMasterResponse {
            replication_master: self.0.master(),
            ..GetReplicationMasterResponse::default()
        })
    }
}
