//! Changes that a replica hands to its master (`imageserver.md §3.2, §4.1, §7.4`).

mod forward;

pub(crate) use forward::{Body, Forwarder, Outgoing};

use std::time::Duration;

use crate::state::Shared;
use actors::Replicator;
use actors::image_index::AddRequest;
use image_client::{Error, ImageServer};
use srpc::{CallError, ConnectOptions, MethodError};

/// How long the master may take for one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(600);

/// A connection to the master.
async fn connect(replicator: &Replicator) -> Result<ImageServer, Error> {
    let options = ConnectOptions {
        call_timeout: Some(CALL_TIMEOUT),
        ..replicator.connect_options()
    };
    ImageServer::connect(&options).await
}

/// Adds an image at the master, then here. What the master answers is the answer.
pub(crate) async fn add_image(
    shared: &Shared,
    replicator: &Replicator,
    mut request: AddRequest,
) -> Result<(), MethodError> {
    // Until the end, so that what the master announces at once does not race our own add.
    let _injection = replicator.begin_injection(&request.name);
    // The objects may have come over a connection that is closed, and the master may take longer than their lease.
    let lease = shared.objects.lease();
    let needed: Vec<_> = image::objects::distinct(&request.image)
        .into_iter()
        .map(|(hash, _)| hash)
        .collect();
    shared.objects.sizes(&needed, Some(&lease));
    shared.images.check_add(&request)?;
    if !request.trusted {
        // Creator and time must be the same on both sides, so they are set here.
        request.image.created_by = request.requester.username.clone();
        request.image.created_on = gob::Time::now();
        request.trusted = true;
    }
    let mut master = connect(replicator).await.map_err(|error| error.to_string())?;
    let mut outcome = master
        .add_image_trusted(&request.name, request.image.clone())
        .await;
    if outcome.as_ref().is_err_and(Error::is_objects_unavailable) {
        // We have them: that was checked above. The master's word, if we cannot help it.
        if forward::supply(&mut master, &shared.objects, needed)
            .await
            .is_ok()
        {
            outcome = master
                .add_image_trusted(&request.name, request.image.clone())
                .await;
        }
    }
    match outcome {
        Ok(()) => Ok(shared.images.add(request).await?),
        Err(Error::AddImage(CallError::Remote(text))) => Err(text.into()),
        Err(error) => Err(format!("error calling master: {}: {error}", replicator.upstream()).into()),
    }
}
