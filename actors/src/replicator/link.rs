//! One session after the other, with pauses between.

use super::error::ReplicationError;
use super::session::{self, Ended};
use super::shared::Shared;
use super::status::LinkState;
use crate::backoff::Backoff;
use crate::task::AbortOnDrop;
use std::sync::Arc;

/// Follows the upstream until the task is ended.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut backoff = Backoff::new(shared.config.first_pause, shared.config.longest_pause);
    loop {
        shared.status.set_state(LinkState::Connecting);
        // A task of its own: a panic over what an upstream sent is a failure of the link, to be tried again with pauses. As
        // one of the actor it would use up the restarts, and then the daemon would serve nobody.
        let session = AbortOnDrop::spawn(session::run(shared.clone()));
        let ended = session.await.unwrap_or_else(|panic| Ended {
            error: ReplicationError::Panicked(panic.to_string()),
            had_list: false,
        });
        shared.status.link_ended();
        shared.status.set_state(LinkState::Waiting);
        let text = ended.error.to_string();
        if ended.had_list {
            backoff.reset();
        }
        let pause = backoff.pause();
        tracing::warn!(
            "Image replicator: {}: {text}; connecting again in {} ms",
            shared.config.upstream,
            pause.as_millis()
        );
        shared.status.failed(text);
        tokio::time::sleep(pause).await;
    }
}
