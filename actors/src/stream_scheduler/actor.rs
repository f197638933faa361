//! The actor: owns queue and cycles, and is what the supervisor starts again.

use super::Shared;
use crate::handle::{Envelope, Request};
use crate::supervise::Guard;
use actix::{Actor, Context, Handler};
use std::sync::Arc;

pub(crate) const NAME: &str = "StreamScheduler";

pub(crate) struct SchedulerActor {
    shared: Arc<Shared>,
    _guard: Guard,
}

/// Panic on purpose.
pub(super) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl SchedulerActor {
    pub(crate) fn new(shared: Arc<Shared>, guard: Guard) -> Self {
        SchedulerActor {
            shared,
            _guard: guard,
        }
    }
}

impl Actor for SchedulerActor {
    type Context = Context<Self>;
}

impl Handler<Envelope<DebugPanic>> for SchedulerActor {
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
