//! What outlives an incarnation of the actor.

use super::{Scheduling, Snapshot};
use crate::build_runner::Build;
use arc_swap::ArcSwap;
use std::sync::Arc;

pub(crate) struct Shared {
    pub(super) config: Scheduling,
    snapshot: ArcSwap<Snapshot>,
}

impl Shared {
    pub(crate) fn new(config: Scheduling) -> Shared {
        Shared {
            config,
            snapshot: ArcSwap::default(),
        }
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// One fewer waits for this build.
    pub(super) fn leave(&self, _build: &Arc<Build>) {}
}
