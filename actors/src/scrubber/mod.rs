//! Scrub: everything that is stored is read again from time to time, at a bounded rate; what is damaged goes into
//! quarantine and is repaired from servers that have it whole.
//!
//! A pass looks at all image files (`pass`), then at all objects. What it finds is marked where reads mark it, in the image
//! index and the object table, so nothing that was found is served, and `repair` begins with what is marked, whoever
//! found it: also between passes. Copies come from the upstream, if there is one, and from servers named for that.
//!
//! Promises:
//! * Nothing is written over unless a whole copy is at hand: objects are verified by their names, images compared with what
//!   is still known of them.
//! * The rate holds for scheduled passes and for those asked for; reads of clients are not counted.
//! * Where a pass has got to survives a restart of the actor, and roughly that of the process (`record`).
//!
//! Lacks on purpose: reading several files at a time; looking for files that are no object or image (`imagewright check`).

mod actor;
mod config;
mod pace;
mod pass;
mod record;
mod repair;
mod shared;
mod status;

pub(crate) use actor::{NAME, ScrubberActor};
pub use config::{RepairSource, Scrubbing};
pub(crate) use shared::Shared;
pub use status::{ScrubPass, ScrubStatus};

use crate::handle::{CallError, Handle, Health};
use std::sync::Arc;

/// The scrubber's handle. Clones are cheap.
#[derive(Clone)]
pub struct Scrubber {
    pub(crate) shared: Arc<Shared>,
    pub(crate) actor: Handle<ScrubberActor>,
}

impl Scrubber {
    /// Begins a pass, unless one is under way, at this rate in bytes per second, 0 for the configured one; a pass under way
    /// goes on at that rate. The number of the pass: see [`ScrubStatus`].
    pub async fn start(&self, rate_bytes: u64) -> Result<u64, CallError> {
        self.actor.call(actor::Start { rate_bytes }).await
    }

    /// How it goes.
    pub fn status(&self) -> ScrubStatus {
        self.shared.status()
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        health.last_error = health.last_error.or_else(|| self.shared.last_error());
        health
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(actor::DebugPanic).await
    }
}
