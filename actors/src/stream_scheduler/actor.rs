//! The actor: puts builds into the queue, begins them, and is what the supervisor starts again.
//!
//! Restart policy: the queue, the builds that run, the cycle and the switches live outside of it and go on; requests in its mailbox are
//! answered with an error. What was taken from the queue and not begun goes back.

use super::shared::Shared;
use super::tasks::keep_running;
use super::{CancelError, RequestError, SwitchError, Ticket, cycle, directories, generate};
use crate::build_runner::{BuildOrder, DebugPanic as RunnerPanic};
use crate::handle::{Envelope, Request};
use crate::supervise::Guard;
use crate::task::AbortOnDrop;
use actix::{Actor, Context, Handler};
use actix_rt::ArbiterHandle;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub(crate) const NAME: &str = "StreamScheduler";

pub(crate) struct SchedulerActor {
    shared: Arc<Shared>,
    /// Where the actors of builds live.
    runners: ArbiterHandle,
    tasks: Vec<AbortOnDrop<()>>,
    _guard: Guard,
}

/// Into the queue.
pub(super) struct Enqueue {
    pub(super) order: BuildOrder,
    pub(super) expires_in: Duration,
}

impl Request for Enqueue {
    type Reply = Result<Ticket, RequestError>;
}

/// End a build.
pub(super) struct Cancel {
    pub(super) number: u64,
    pub(super) reason: String,
}

impl Request for Cancel {
    type Reply = Result<(), CancelError>;
}

/// Begin a cycle.
pub(super) struct StartCycle {
    pub(super) who: String,
}

impl Request for StartCycle {
    type Reply = Result<u64, SwitchError>;
}

/// Automatic builds, or requests, are off for so long.
pub(super) struct Disable {
    pub(super) who: String,
    pub(super) disable_for: Duration,
    pub(super) is_auto: bool,
}

impl Request for Disable {
    type Reply = Result<Option<SystemTime>, SwitchError>;
}

/// Panic on purpose: the actor, or the runner of a build.
pub(super) struct DebugPanic {
    pub(super) build: Option<u64>,
}

impl Request for DebugPanic {
    type Reply = ();
}

impl SchedulerActor {
    pub(crate) fn new(shared: Arc<Shared>, runners: ArbiterHandle, guard: Guard) -> Self {
        SchedulerActor {
            shared,
            runners,
            tasks: Vec::new(),
            _guard: guard,
        }
    }
}

impl Actor for SchedulerActor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        let shared = &self.shared;
        // Of the first incarnation; its arbiter is that of all.
        let _ = shared.runtime.set(tokio::runtime::Handle::current());
        shared.put_in_order();
        let runners = self.runners.clone();
        let begin = move |shared: Arc<Shared>| begin(shared, runners.clone());
        self.tasks = vec![
            keep_running(shared, "Beginning builds", begin),
            keep_running(shared, "Automatic rebuilds", cycle::run::run),
            keep_running(shared, "Directories of image streams", directories::run),
            keep_running(shared, "Dependencies", generate::run),
        ];
    }
}

/// Begins builds whenever there is a place.
async fn begin(shared: Arc<Shared>, runners: ArbiterHandle) {
    loop {
        shared.begin_all(&runners);
        shared.wake.notified().await;
    }
}

impl Handler<Envelope<Enqueue>> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Enqueue>, _: &mut Context<Self>) {
        let (Enqueue { order, expires_in }, reply) = envelope.open();
        // Who asked may have gone: then the ticket is dropped, and with it the wish.
        let _ = reply.send(self.shared.enqueue(order, expires_in));
    }
}

impl Handler<Envelope<Cancel>> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Cancel>, _: &mut Context<Self>) {
        let (Cancel { number, reason }, reply) = envelope.open();
        let _ = reply.send(self.shared.cancel(number, reason));
    }
}

impl Handler<Envelope<StartCycle>> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<StartCycle>, _: &mut Context<Self>) {
        let (StartCycle { who }, reply) = envelope.open();
        let _ = reply.send(self.shared.start_cycle(&who));
    }
}

impl Handler<Envelope<Disable>> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Disable>, _: &mut Context<Self>) {
        let (disable, reply) = envelope.open();
        let Disable { who, disable_for, .. } = &disable;
        let _ = reply.send(if disable.is_auto {
            self.shared.disable_auto_builds(who, *disable_for)
        } else {
            self.shared.disable_build_requests(who, *disable_for)
        });
    }
}

impl Handler<Envelope<DebugPanic>> for SchedulerActor {
    type Result = ();

    // The panic is the purpose of the message; it is off unless the configuration turns it on.
    #[allow(clippy::panic)]
    fn handle(&mut self, envelope: Envelope<DebugPanic>, _: &mut Context<Self>) {
        let (DebugPanic { build }, reply) = envelope.open();
        if self.shared.config.allow_debug_panic {
            match build {
                None => panic!("debug panic of {NAME}"),
                Some(number) => {
                    if let Some(runner) = self.shared.runner(number) {
                        runner.do_send(RunnerPanic);
                    }
                }
            }
        }
        let _ = reply.send(());
    }
}
