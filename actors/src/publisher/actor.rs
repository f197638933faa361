//! The actor: owns the link and the work, and is what the supervisor starts again.
//!
//! Restart policy: both end with the actor and begin anew; the link's list tells what is to be done. Jobs go on meanwhile.

use super::{Shared, link, uploads, work};
use crate::handle::{Envelope, Request};
use crate::supervise::Guard;
use crate::task::AbortOnDrop;
use actix::{Actor, Context, Handler};
use std::sync::Arc;

pub(crate) const NAME: &str = "Publisher";

pub(crate) struct PublisherActor {
    shared: Arc<Shared>,
    /// Run beside the actor, so that it answers whatever they wait for.
    tasks: Vec<AbortOnDrop<()>>,
    _guard: Guard,
}

/// Panic on purpose.
pub(super) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl PublisherActor {
    pub(crate) fn new(shared: Arc<Shared>, guard: Guard) -> Self {
        PublisherActor {
            shared,
            tasks: Vec::new(),
            _guard: guard,
        }
    }
}

impl Actor for PublisherActor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        let settings = self.shared.config.room.settings();
        if !settings.join.rules.is_empty() {
            self.tasks
                .push(AbortOnDrop::spawn(link::run(self.shared.clone())));
            self.tasks
                .push(AbortOnDrop::spawn(work::run(self.shared.clone())));
        }
        if settings.join.take_in.is_automatic {
            self.tasks
                .push(AbortOnDrop::spawn(uploads::run(self.shared.clone())));
        }
    }
}

impl Handler<Envelope<DebugPanic>> for PublisherActor {
    type Result = ();

    // The panic is the purpose of the message; it is off unless the configuration turns it on.
    #[allow(clippy::panic)]
    fn handle(&mut self, envelope: Envelope<DebugPanic>, _: &mut Context<Self>) {
        if self.shared.config.allow_debug_panic {
            panic!("debug panic of {NAME}");
        }
        let _ = envelope.open().1.send(());
    }
}
