//! `ImageServer.ChangeImageExpiration` (`imageserver.md §3.3`, rules in §2.3).

use crate::rpc::prelude::*;
use protocol::image_server::{ChangeImageExpirationRequest, ChangeImageExpirationResponse};

/// Moves the moment at which an image is dropped; errors travel in the reply.
pub(crate) struct ChangeImageExpiration(pub(crate) Shared);

impl RequestReply for ChangeImageExpiration {
    const NAME: &'static str = "ChangeImageExpiration";
    type Request = ChangeImageExpirationRequest;
    type Reply = ChangeImageExpirationResponse;

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        if let Some(error) = self.0.go_to_master() {
            return Ok(Self::Reply { error });
        }
        let Self::Request {
            expires_at,
            image_name,
        } = request;
        let when = crate::time::until(expires_at);
        match self
            .0
            .images
            .change_expiration(&image_name, expires_at, requester(call))
            .await
        {
            Ok(_) => {
                tracing::info!("ChangeImageExpiration({image_name}) {when}{}", by(call));
                Ok(Self::Reply { error: String::new() })
            }
            Err(error) => {
                tracing::info!("ChangeImageExpiration({image_name}) {when}{}: {error}", by(call));
                Ok(Self::Reply {
                    error: error.to_string(),
                })
            }
        }
    }
}
