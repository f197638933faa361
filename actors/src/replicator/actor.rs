//! The actor: owns the link, and is what the supervisor starts again.
//!
//! Restart policy: the link ends with the actor and begins anew with the next incarnation, which compares everything with
//! the upstream's list. What was fetched meanwhile is found again; names not fetched yet stay announced.

use super::Shared;
use super::link;
use crate::handle::{Envelope, Request};
use crate::supervise::Guard;
use crate::task::AbortOnDrop;
use actix::{Actor, Context, Handler};
use std::sync::Arc;

pub(crate) const NAME: &str = "Replicator";

pub(crate) struct ReplicatorActor {
    shared: Arc<Shared>,
    /// Runs beside the actor, so that it answers whatever the link is waiting for.
    link: Option<AbortOnDrop<()>>,
    _guard: Guard,
}

/// Panic on purpose.
pub(super) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl ReplicatorActor {
    pub(crate) fn new(shared: Arc<Shared>, guard: Guard) -> Self {
        ReplicatorActor {
            shared,
            link: None,
            _guard: guard,
        }
    }
}

impl Actor for ReplicatorActor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.link = Some(AbortOnDrop::spawn(link::run(self.shared.clone())));
    }
}

impl Handler<Envelope<DebugPanic>> for ReplicatorActor {
    type Result = ();

    // The panic is the purpose of the message; it is off unless the configuration turns it on.
    #[allow(clippy::panic)]
    fn handle(&mut self, envelope: Envelope<DebugPanic>, _: &mut Context<Self>) {
        if self.shared.allow_debug_panic {
            panic!("debug panic of {NAME}");
        }
        let _ = envelope.open().1.send(());
    }
}
