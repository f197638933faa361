//! The actor of one build: starts its thread, ends it in time, and says so when it does not end.
//!
//! It is not started again: a build cannot go on in the middle. If it dies, the build is told to end and reported as failed at once.

use super::host::Host;
use super::run::Run;
use super::{Build, BuildFailure, BuildResult};
use crate::Clock;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture};
use std::sync::Arc;
use std::time::Duration;

/// Beyond the time its commands may take, a build has this long for everything else: fetching, unpacking, sending.
const BEYOND_DEADLINE: Duration = Duration::from_secs(3600);

/// Bytes of stack of the thread: trees are walked on it.
const STACK_BYTES: usize = 8 << 20;

pub(crate) struct BuildRunner {
    fuse: Fuse,
    run: Option<Run>,
    cancel_grace: Duration,
}

/// The thread has ended.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Finished;

/// End it, in the name of somebody.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Cancel {
    pub(crate) reason: String,
}

/// Panic on purpose.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct DebugPanic;

/// Its drop, while the build has not ended, is the news that the actor died.
struct Fuse {
    build: Arc<Build>,
    host: Arc<dyn Host>,
    clock: Clock,
}

impl Fuse {
    /// The result is published although the thread runs: who waits gets an answer. The place stays taken, since sandbox,
    /// mounts and range of identities are still in use.
    fn give_up(&self, failure: BuildFailure) {
        let keep = |result: &Arc<BuildResult>| self.host.ended(&self.build, result.clone(), false);
        self.build.end(Err(failure), self.clock.system_time(), keep);
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        if self.build.is_over() {
            return;
        }
        let text = "internal error: the build's runner failed, so the build was ended";
        tracing::error!("Build {} of {}: {text}", self.build.number, self.build.stream());
        // First: the build's own end would say that somebody cancelled it.
        self.give_up(BuildFailure::new(text));
        self.build.cancellation.cancel(text.to_owned());
    }
}

impl BuildRunner {
    pub(crate) fn new(run: Run, cancel_grace: Duration) -> BuildRunner {
        BuildRunner {
            fuse: Fuse {
                build: run.build.clone(),
                host: run.host.clone(),
                clock: run.clock.clone(),
            },
            run: Some(run),
            cancel_grace,
        }
    }

    fn is_late(&self, reason: String) {
        let build = &self.fuse.build;
        let text = format!(
            "{reason}; it has not ended within {}, and its place stays taken until it does",
            human::duration(self.cancel_grace)
        );
        tracing::error!("Build {} of {}: {text}", build.number, build.stream());
        self.fuse.give_up(BuildFailure {
            phase: build.phase().map(|time| time.phase),
            ..BuildFailure::cancelled(text)
        });
    }
}

impl Actor for BuildRunner {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let Some(run) = self.run.take() else { return };
        let address = context.address();
        let build = self.fuse.build.clone();
        let thread = std::thread::Builder::new()
            .name(format!("build-{}", build.number))
            .stack_size(STACK_BYTES)
            .spawn(move || {
                run.run();
                address.do_send(Finished);
            });
        if let Err(error) = thread {
            self.fuse.give_up(BuildFailure::new(format!(
                "cannot start a thread for the build: {error}"
            )));
            self.fuse.host.freed(build.number);
            context.stop();
            return;
        }
        let longest = build.order.deadline.saturating_add(BEYOND_DEADLINE);
        context.run_later(longest, move |actor, _| {
            let reason = format!("the build took longer than {}", human::duration(longest));
            actor.fuse.build.cancellation.cancel(reason);
        });
        let cancellation = build.cancellation.clone();
        let cancelled = async move { cancellation.cancelled().await };
        let wait = cancelled
            .into_actor(self)
            .map(|(), actor: &mut Self, context: &mut Context<Self>| {
                context.run_later(actor.cancel_grace, |actor, _| {
                    let reason = actor.fuse.build.cancellation.reason().unwrap_or_default();
                    actor.is_late(reason);
                });
            });
        context.spawn(wait);
    }
}

impl Handler<Finished> for BuildRunner {
    type Result = ();

    fn handle(&mut self, _: Finished, context: &mut Context<Self>) {
        context.stop();
    }
}

impl Handler<Cancel> for BuildRunner {
    type Result = ();

    fn handle(&mut self, cancel: Cancel, _: &mut Context<Self>) {
        self.fuse.build.cancellation.cancel(cancel.reason);
    }
}

impl Handler<DebugPanic> for BuildRunner {
    type Result = ();

    // The panic is the purpose of the message; only the scheduler sends it, if the configuration lets it.
    #[allow(clippy::panic)]
    fn handle(&mut self, _: DebugPanic, _: &mut Context<Self>) {
        panic!("debug panic of a build runner");
    }
}
