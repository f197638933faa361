//! `ImageServer.GetImage` (`imageserver.md §3.10`).

use std::sync::Arc;
use std::time::Duration;

use crate::rpc::prelude::*;
use protocol::image_server::{GetImageRequest, GetImageResponse};
use tokio::time::{Instant, timeout_at};

/// How long a caller may wait for an image to appear. Longer wishes are cut, since the caller may be long gone.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// An image, with its tree or without; waits for one that is yet to come, if asked to.
pub(crate) struct GetImage(pub(crate) Shared);

impl RequestReply for GetImage {
    const NAME: &'static str = "GetImage";
    type Request = GetImageRequest;
    type Reply = GetImageResponse;

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        if !self.wait(call, &request).await && self.unfetched(&request.image_name).is_none() {
            return Ok(Self::Reply::default());
        }
        let snapshot = self.0.images.snapshot();
        let Some(entry) = snapshot.images.get(request.image_name.as_str()) else {
            // Absent is what does not exist; this exists, and is only not here.
            if let Some(cause) = self.unfetched(&request.image_name) {
                return Err(format!("image: {} is not here yet: {cause}", request.image_name).into());
            }
            return Ok(Self::Reply::default());
        };
        let information_database_url = self.0.information_url(&request.image_name, entry);
        let expires = !entry.metadata.expires_at.is_zero();
        let bare = request.ignore_filesystem || (request.ignore_filesystem_if_expiring && expires);
        let image = if bare {
            entry.usable()?;
            Some(Arc::new(entry.whole_metadata()))
        } else {
            self.0.images.image(&request.image_name).await?
        };
        Ok(Self::Reply {
            image,
            information_database_url,
        })
    }
}

impl GetImage {
    /// Why an image the master announces is not here.
    fn unfetched(&self, name: &str) -> Option<String> {
        self.0.replicator.as_ref()?.why_unfetched(name)
    }

    /// True once the image is there; false if it is not and the caller's patience has ended.
    async fn wait(&self, call: &Call, request: &GetImageRequest) -> bool {
        let is_there = || {
            self.0
                .images
                .snapshot()
                .images
                .contains_key(request.image_name.as_str())
        };
        let patience = match u64::try_from(request.timeout.0) {
            Ok(nanoseconds) if nanoseconds > 0 => Duration::from_nanos(nanoseconds).min(WAIT_MAX),
            _ => return is_there(),
        };
        let deadline = Instant::now() + patience;
        // What failed is tried again, but not soon. A follower asks for one image after the other.
        let has_failed = |replicator: &actors::Replicator| replicator.has_failed(&request.image_name);
        if self.0.replicator.as_ref().is_some_and(has_failed) {
            return is_there();
        }
        // Subscribed before the first look, so that an image that comes in between is not missed.
        let mut events = self.0.images.subscribe();
        while !is_there() {
            let event = tokio::select! {
                event = timeout_at(deadline, events.recv()) => event,
                () = call.draining.cancelled() => return false,
            };
            // Falling behind does no harm: the loop looks for itself.
            if matches!(
                event,
                Err(_) | Ok(Err(tokio::sync::broadcast::error::RecvError::Closed))
            ) {
                return is_there();
            }
        }
        true
    }
}
