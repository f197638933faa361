//! What outlives an incarnation of the actor, and what its work needs.

use super::claims::Claims;
use super::config::Replication;
use super::injection::Injections;
use super::objects;
use super::status::Status;
use super::unfetched::Unfetched;
use crate::{ImageIndex, ObjectStore};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

pub(crate) struct Shared {
    pub(super) config: Replication,
    pub(super) images: ImageIndex,
    pub(super) objects: ObjectStore,
    pub(super) status: Status,
    pub(super) unfetched: Unfetched,
    pub(super) injections: Injections,
    /// True once the first list since the start was worked off.
    pub(super) first_round: watch::Sender<bool>,
    pub(super) claims: Claims,
    /// One for each batch of objects under way.
    pub(super) batches: Semaphore,
    pub(super) allow_debug_panic: bool,
}

impl Shared {
    pub(crate) fn new(
        config: Replication,
        images: ImageIndex,
        store: ObjectStore,
        allow_debug_panic: bool,
    ) -> Shared {
        Shared {
            status: Status::new(config.upstream.clone()),
            config,
            images,
            objects: store,
            unfetched: Unfetched::default(),
            injections: Injections::default(),
            first_round: watch::Sender::new(false),
            claims: Claims::default(),
            batches: Semaphore::new(objects::PARALLEL_BATCHES),
            allow_debug_panic,
        }
    }

    /// The upstream has it no more, and it never came here. Our followers were told of it, and may have it from an earlier time.
    pub(super) fn give_up(&self, name: &Arc<str>) {
        if self.unfetched.remove(name) {
            self.images.announce_deleted(name.clone());
        }
    }
}
