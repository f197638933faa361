//! What outlives an incarnation of the actor, and what its work needs.

use super::config::Replication;
use super::injection::Injections;
use super::status::Status;
use super::unfetched::Unfetched;
use crate::{ImageIndex, ObjectStore};
use tokio::sync::{Mutex, watch};

pub(crate) struct Shared {
    pub(super) config: Replication,
    pub(super) images: ImageIndex,
    pub(super) objects: ObjectStore,
    pub(super) status: Status,
    pub(super) unfetched: Unfetched,
    pub(super) injections: Injections,
    /// True once the first list since the start was worked off.
    pub(super) first_round: watch::Sender<bool>,
    /// One image at a time looks for missing objects and fetches them: images that follow each other share most of theirs.
    pub(super) object_turn: Mutex<()>,
    pub(super) allow_debug_panic: bool,
}

impl Shared {
    pub(crate) fn new(
        config: Replication,
        images: ImageIndex,
        objects: ObjectStore,
        allow_debug_panic: bool,
    ) -> Shared {
        Shared {
            status: Status::new(config.upstream.clone()),
            config,
            images,
            objects,
            unfetched: Unfetched::default(),
            injections: Injections::default(),
            first_round: watch::Sender::new(false),
            object_turn: Mutex::new(()),
            allow_debug_panic,
        }
    }
}
