//! `Imaginator.DisableAutoBuilds` (`imaginator.md §16`).

use super::disabled::told;
use crate::rpc::prelude::*;
use protocol::imaginator::{DisableAutoBuildsRequest, DisableAutoBuildsResponse};

/// Automatic rebuilds build nothing for a while.
pub(crate) struct DisableAutoBuilds(pub(crate) Shared);

impl RequestReply for DisableAutoBuilds {
    const NAME: &'static str = "DisableAutoBuilds";
    type Request = DisableAutoBuildsRequest;
    type Reply = DisableAutoBuildsResponse;

    fn limits(&self) -> gob::Limits {
        limits::request()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let disable_for = request.disable_for.to_std().unwrap_or_default();
        let mut reply = Self::Reply::default();
        match self
            .0
            .scheduler
            .disable_auto_builds(username(call), disable_for)
            .await
        {
            Ok(end) => reply.disabled_until = told(call, end),
            Err(error) => reply.error = error.to_string(),
        }
        Ok(reply)
    }
}
