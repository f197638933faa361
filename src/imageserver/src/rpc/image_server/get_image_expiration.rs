//! `ImageServer.GetImageExpiration` (`imageserver.md §3.13`).

use crate::rpc::prelude::*;
use protocol::image_server::{GetImageExpirationRequest, GetImageExpirationResponse};

/// When an image will be dropped; zero for never.
pub(crate) struct GetImageExpiration(pub(crate) Shared);

impl RequestReply for GetImageExpiration {
    const NAME: &'static str = "GetImageExpiration";
    type Request = GetImageExpirationRequest;
    type Reply = GetImageExpirationResponse;

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
                expires_at: entry.metadata.expires_at,
                ..Self::Reply::default()
            },
            None => Self::Reply {
                error: "image not found".to_owned(),
                ..Self::Reply::default()
            },
        })
    }
}
