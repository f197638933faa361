//! Follows an image server and has its images published by themselves, by the rules of the configuration; and has images that are
//! activated here taken into it, where that is wished (imgapi.md §22).
//!
//! The link begins with a list of what there is, then come changes. What a rule is about and is not here yet is published by a
//! job each, as if somebody had asked for it: so it is seen, survives a restart and is done once. A link that breaks is made
//! again after a pause and begins with the list: nothing is forgotten, and nothing that is here is done again.
//!
//! Promises:
//! * An image is published once: its UUID is made of its name, and one that somebody has deleted here is not brought back.
//! * Nothing is disabled or deleted because a link broke or a list was incomplete; and not by a list that lacks more than half of what
//!   was published by rules that would do so.
//! * What fails is tried again, with growing pauses; the rest goes on meanwhile.
//!
//! Lacks on purpose: how an image is published ([`image_jobs`](crate::image_jobs)).

mod actor;
mod config;
mod gone;
mod link;
mod queue;
mod shared;
mod start;
mod status;
mod uploads;
mod work;

pub(crate) use actor::{NAME, PublisherActor};
pub use config::Publishing;
pub(crate) use shared::Shared;
pub use start::{PublisherSystem, start_publisher};
pub use status::{PublisherLink, PublisherOutcome, PublisherStatus};

use crate::handle::{CallError, Handle, Health};
use std::sync::Arc;

/// The publisher's handle. Clones are cheap.
#[derive(Clone)]
pub struct Publisher {
    pub(crate) shared: Arc<Shared>,
    pub(crate) actor: Handle<PublisherActor>,
}

impl Publisher {
    /// How it goes.
    pub fn status(&self) -> PublisherStatus {
        self.shared.status()
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        let status = self.shared.status();
        health.last_error = health.last_error.or(status.last_error);
        health
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    ///
    /// # Errors
    /// It has done so.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(actor::DebugPanic).await
    }
}
