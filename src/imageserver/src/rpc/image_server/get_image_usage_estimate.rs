//! `ImageServer.GetImageUsageEstimate` (`imageserver.md §3.13`, definition in §2.5).

use crate::rpc::prelude::*;
use protocol::image_server::{GetImageUsageEstimateRequest, GetImageUsageEstimateResponse};

/// Bytes an image is likely to take on a file system.
pub(crate) struct GetImageUsageEstimate(pub(crate) Shared);

impl RequestReply for GetImageUsageEstimate {
    const NAME: &'static str = "GetImageUsageEstimate";
    type Request = GetImageUsageEstimateRequest;
    type Reply = GetImageUsageEstimateResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, _call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let snapshot = self.0.images.snapshot();
        Ok(match snapshot.images.get(request.image_name.as_str()) {
            Some(entry) => Self::Reply {
                image_exists: true,
                usage_estimate: entry.usage_estimate,
            },
            None => Self::Reply::default(),
        })
    }
}
