//! `Imaginator.DisableBuildRequests` (`imaginator.md §16`).

use super::disabled::told;
use crate::rpc::prelude::*;
use protocol::imaginator::{DisableBuildRequestsRequest, DisableBuildRequestsResponse};

/// Requests are refused for a while, or no longer.
pub(crate) struct DisableBuildRequests(pub(crate) Shared);

impl RequestReply for DisableBuildRequests {
    const NAME: &'static str = "DisableBuildRequests";
    type Request = DisableBuildRequestsRequest;
    type Reply = DisableBuildRequestsResponse;

    fn limits(&self) -> gob::Limits {
        limits::request()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let disable_for = request.disable_for.to_std().unwrap_or_default();
        let mut reply = Self::Reply::default();
        match self
            .0
            .scheduler
            .disable_build_requests(username(call), disable_for)
            .await
        {
            Ok(end) => reply.disabled_until = told(call, end),
            Err(error) => reply.error = error.to_string(),
        }
        Ok(reply)
    }
}
