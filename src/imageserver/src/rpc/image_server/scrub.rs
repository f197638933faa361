//! `ImageServer.Scrub`: our own addition, the original does not have it.

use crate::rpc::prelude::*;
use protocol::image_server::{ScrubRequest, ScrubResponse};

/// Begins to read everything that is stored again, unless that is going on, and says which pass that is.
pub(crate) struct Scrub(pub(crate) Shared);

impl RequestReply for Scrub {
    const NAME: &'static str = "Scrub";
    type Request = ScrubRequest;
    type Reply = ScrubResponse;

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let rate = request.bytes_per_second;
        tracing::info!("Scrub({rate}){}", by(call));
        let number = self.0.scrubber.start(rate).await?;
        Ok(ScrubResponse { number })
    }
}
