//! `ObjectServer.CheckObjects` (`imageserver.md §4.2`).

use crate::rpc::object_server::lease;
use crate::rpc::prelude::*;
use protocol::object_server::{CheckObjectsRequest, CheckObjectsResponse};

/// Sizes of objects, 0 for those that are not there. What is said to be there stays while the connection lives, and a while
/// longer: the caller relies on it for the image it is about to add.
pub(crate) struct CheckObjects(pub(crate) Shared);

impl RequestReply for CheckObjects {
    const NAME: &'static str = "CheckObjects";
    type Request = CheckObjectsRequest;
    type Reply = CheckObjectsResponse;

    fn access(&self) -> Access {
        Access {
            public: self.0.options.allow_public_check_objects || self.0.options.allow_unauthenticated_reads,
            unauthenticated: self.0.options.allow_unauthenticated_reads,
        }
    }

    fn limits(&self) -> gob::Limits {
        limits::list()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let lease = lease(&self.0, call);
        let object_sizes = self.0.objects.sizes(&request.hashes, Some(&lease));
        Ok(Self::Reply { object_sizes })
    }
}
