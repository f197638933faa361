//! `Imaginator.StartAutoBuilds` (`imaginator.md §16`).

use crate::rpc::prelude::*;
use protocol::imaginator::{StartAutoBuildsRequest, StartAutoBuildsResponse};

/// Starts a round of automatic rebuilds now.
pub(crate) struct StartAutoBuilds(pub(crate) Shared);

impl RequestReply for StartAutoBuilds {
    const NAME: &'static str = "StartAutoBuilds";
    type Request = StartAutoBuildsRequest;
    type Reply = StartAutoBuildsResponse;

    fn limits(&self) -> gob::Limits {
        limits::request()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let started = self.0.scheduler.start_auto_builds(
            username(call),
            request.wait_to_start,
            request.wait_for_complete,
        );
        Ok(Self::Reply {
            error: started
                .await
                .err()
                .map_or_else(String::new, |error| error.to_string()),
        })
    }
}
