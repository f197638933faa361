//! `Imaginator.ReplaceIdleSlaves` (`builder-tool.md §3.2`).

use crate::rpc::prelude::*;
use protocol::imaginator::{ReplaceIdleSlavesRequest, ReplaceIdleSlavesResponse};

/// There are no slaves here, which is what it says.
pub(crate) struct ReplaceIdleSlaves;

impl RequestReply for ReplaceIdleSlaves {
    const NAME: &'static str = "ReplaceIdleSlaves";
    type Request = ReplaceIdleSlavesRequest;
    type Reply = ReplaceIdleSlavesResponse;

    fn limits(&self) -> gob::Limits {
        limits::request()
    }

    async fn call(&self, _: &Call, _: Self::Request) -> Result<Self::Reply, MethodError> {
        Ok(Self::Reply {
            error: "no SlaveDriver configured".to_owned(),
        })
    }
}
