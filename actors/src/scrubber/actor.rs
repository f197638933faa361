//! The actor: owns the pass under way and the repairs, and is what the supervisor starts again.
//!
//! Restart policy: the pass ends with the actor; the next incarnation goes on with it where it was.

use super::{Shared, pass, repair};
use crate::handle::{Envelope, Request};
use crate::supervise::Guard;
use crate::task::AbortOnDrop;
use actix::{Actor, AsyncContext, Context, Handler};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const NAME: &str = "Scrubber";

/// How often it is looked whether a pass is due. Longer than any pause that tests configure would be.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

pub(crate) struct ScrubberActor {
    shared: Arc<Shared>,
    /// Runs beside the actor, so that it answers whatever the pass is waiting for.
    pass: Option<AbortOnDrop<()>>,
    repair: Option<AbortOnDrop<()>>,
    _guard: Guard,
}

/// Begin a pass: see [`Scrubber::start`](super::Scrubber::start).
pub(super) struct Start {
    pub(super) rate_bytes: u64,
}

impl Request for Start {
    type Reply = u64;
}

/// Panic on purpose.
pub(super) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl ScrubberActor {
    pub(crate) fn new(shared: Arc<Shared>, guard: Guard) -> Self {
        ScrubberActor {
            shared,
            pass: None,
            repair: None,
            _guard: guard,
        }
    }

    fn run_pass(&mut self) {
        self.pass = Some(AbortOnDrop::spawn(pass::run(self.shared.clone())));
    }
}

impl Actor for ScrubberActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        if self.shared.is_running() {
            self.run_pass();
        }
        self.repair = Some(AbortOnDrop::spawn(repair::keep_repairing(self.shared.clone())));
        context.run_interval(LOOK_PERIOD, |actor, _| {
            if actor.shared.is_due() && actor.shared.begin(false, 0).0 {
                actor.run_pass();
            }
        });
    }
}

impl Handler<Envelope<Start>> for ScrubberActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Start>, _: &mut Context<Self>) {
        let (Start { rate_bytes }, reply) = envelope.open();
        let (begins, number) = self.shared.begin(true, rate_bytes);
        if begins {
            self.run_pass();
        }
        // Who asked may have gone.
        let _ = reply.send(number);
    }
}

impl Handler<Envelope<DebugPanic>> for ScrubberActor {
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
