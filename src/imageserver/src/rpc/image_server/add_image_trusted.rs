//! `ImageServer.AddImageTrusted` (`imageserver.md §3.2`).

use crate::rpc::prelude::*;
use crate::upstream;
use actors::image_index::AddRequest;
use protocol::image_server::{AddImageRequest, AddImageResponse};

/// Adds an image as it is, creator and time included: for replicas.
pub(crate) struct AddImageTrusted(pub(crate) Shared);

impl RequestReply for AddImageTrusted {
    const NAME: &'static str = "AddImageTrusted";
    type Request = AddImageRequest;
    type Reply = AddImageResponse;

    fn limits(&self) -> gob::Limits {
        limits::image()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        add(&self.0, call, request, true, Self::NAME).await
    }
}

/// What both ways of adding share: the order of checks is the original's, then the index decides.
pub(super) async fn add(
    shared: &Shared,
    call: &Call,
    request: AddImageRequest,
    trusted: bool,
    method: &str,
) -> Result<AddImageResponse, MethodError> {
    let name = request.image_name;
    let result = async {
        // Asked first, so that a caller who is late learns that and not what else is wrong.
        if shared.images.snapshot().images.contains_key(name.as_str()) {
            return Err(MethodError::from("image already exists"));
        }
        let image = request.image.ok_or("nil image")?;
        if image.file_system.is_none() {
            return Err(MethodError::from("nil file-system"));
        }
        let request = AddRequest {
            name: name.clone(),
            image,
            requester: requester(call),
            trusted,
        };
        match &shared.replicator {
            None => Ok(shared.images.add(request).await?),
            Some(replicator) => upstream::add_image(shared, replicator, request).await,
        }
    }
    .await;
    match result {
        Ok(_) => {
            tracing::info!("{method}({name}){}", by(call));
            Ok(AddImageResponse {})
        }
        Err(error) => {
            tracing::info!("{method}({name}){}: {}", by(call), error.text());
            Err(error)
        }
    }
}
