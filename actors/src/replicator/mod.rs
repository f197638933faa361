//! The link to the server this one follows (`imageserver.md §7`): keeps our images and directories what the upstream's are.
//!
//! One connection tells what there is and what changes (`feed`); images it names and we lack are fetched, several at a
//! time, their objects in batches over connections of their own (`bring`, `objects`). What the initial list
//! does not name is deleted (`clean_up`), unless everything is kept. A link that breaks is made again after a pause
//! (`crate::backoff`), and begins with the list: what is here already is not sent again.
//!
//! Promises:
//! * Nothing is deleted because a link broke, a list was incomplete, or an image could not be fetched; and not by a list that would
//!   take away more than half of what is here.
//! * A name that the upstream announces is announced by us from then on, also while the image is still on its way
//!   (`unfetched`): whoever follows us must not take our delay for a deletion.
//! * Objects are verified and durable before the image that needs them is added.
//! * What fails is tried again: an image after a pause of its own, the link after another.
//!
//! Lacks on purpose: any way to change the upstream (the daemon's methods do that), more than one upstream.

mod actor;
mod bring;
mod claims;
mod clean_up;
mod config;
mod error;
mod feed;
mod injection;
mod link;
mod objects;
mod retry;
mod session;
mod shared;
mod status;
mod unfetched;

pub(crate) use actor::{NAME, ReplicatorActor};
pub use config::{Archive, DELETE_PERCENT, Replication};
pub use error::ReplicationError;
pub(crate) use image_client::{Connect, Connections};
pub use injection::Injection;
pub(crate) use objects::{Sink, Wanted, fetch_batch};
pub(crate) use shared::Shared;
pub use status::{LinkState, ReplicationStatus};

use crate::handle::{CallError, Handle, Health};
use std::sync::Arc;

/// The replicator's handle. Clones are cheap.
#[derive(Clone)]
pub struct Replicator {
    pub(crate) shared: Arc<Shared>,
    pub(crate) actor: Handle<ReplicatorActor>,
}

impl Replicator {
    /// `HOST:PORT` of the upstream.
    pub fn upstream(&self) -> &str {
        &self.shared.config.upstream
    }

    /// How to connect to the upstream, with the newest certificates.
    pub fn connect_options(&self) -> srpc::ConnectOptions {
        (self.shared.config.connect)()
    }

    /// How it goes.
    pub fn status(&self) -> ReplicationStatus {
        self.shared.status.get(self.shared.unfetched.len())
    }

    /// Returns once the first list since the start was worked off: before that we cannot tell others what there is
    /// (`imageserver.md §7.1`).
    pub async fn first_round(&self) {
        let mut done = self.shared.first_round.subscribe();
        // The sender lives in what we hold.
        let _ = done.wait_for(|done| *done).await;
    }

    /// Names the upstream announces whose images are not here yet, sorted.
    pub fn unfetched(&self) -> Vec<Arc<str>> {
        self.shared.unfetched.names()
    }

    /// Why an image that the upstream announces is not here yet; `None` if it does not announce it, or it is here.
    pub fn why_unfetched(&self, name: &str) -> Option<String> {
        self.shared.unfetched.why(name)
    }

    /// Whether fetching an image that the upstream announces has failed and is yet to succeed.
    pub fn has_failed(&self, name: &str) -> bool {
        self.shared.unfetched.has_failed(name)
    }

    /// An image of this name is being handed to the upstream and added here (`imageserver.md §3.2`): what the upstream
    /// says about it meanwhile waits until the guard is dropped.
    pub fn begin_injection(&self, name: &str) -> Injection {
        self.shared.injections.begin(name)
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        health.last_error = health.last_error.or_else(|| self.shared.status.last_error());
        health
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(actor::DebugPanic).await
    }
}
