//! The actor: begins jobs, and is what the supervisor starts again.
//!
//! Restart policy: jobs at work go on; one that was about to begin waits for its turn again. Requests in hand are told that they
//! may or may not have been carried out.

use super::body::JobBody;
use super::{JobsError, Shared, run};
use crate::handle::{Envelope, Request};
use crate::supervise::{Birth, Guard};
use crate::task::AbortOnDrop;
use actix::{Actor, AsyncContext, Context, Handler, WrapFuture};
use repository::Uuid;
use repository::job::{Job, JobKind};
use repository::json::Object;
use std::sync::Arc;

pub(crate) const NAME: &str = "Jobs";

pub(crate) struct JobsActor {
    shared: Arc<Shared>,
    birth: Birth,
    beginning: Option<AbortOnDrop<()>>,
    _guard: Guard,
}

/// See [`Jobs::begin`](super::Jobs::begin).
pub(super) struct Begin(pub(super) Vec<(JobKind, Arc<dyn JobBody>)>);

impl Request for Begin {
    type Reply = ();
}

/// See [`Jobs::submit`](super::Jobs::submit).
pub(super) struct Submit {
    pub(super) kind: JobKind,
    pub(super) image: Uuid,
    pub(super) parameters: Object,
}

impl Request for Submit {
    type Reply = Result<Arc<Job>, JobsError>;
}

/// See [`Jobs::cancel`](super::Jobs::cancel).
pub(super) struct Cancel(pub(super) Uuid);

impl Request for Cancel {
    type Reply = Result<Arc<Job>, JobsError>;
}

/// Panic on purpose.
pub(super) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl JobsActor {
    pub(crate) fn new(shared: Arc<Shared>, birth: Birth, guard: Guard) -> Self {
        JobsActor {
            shared,
            birth,
            beginning: None,
            _guard: guard,
        }
    }

    /// Has a change made beside the actor, which answers others meanwhile.
    fn change<T: Send + 'static>(
        &self,
        context: &mut Context<Self>,
        change: impl FnOnce(&Shared) -> T + Send + 'static,
        reply: impl FnOnce(Result<T, JobsError>) + 'static,
    ) {
        let shared = self.shared.clone();
        let work = async move {
            let changed = shared.change(change).await;
            reply(changed.map_err(|failure| JobsError::Storage(failure.message)));
        };
        context.spawn(work.into_actor(self));
    }
}

impl Actor for JobsActor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        let (shared, birth) = (self.shared.clone(), self.birth);
        let beginning = async move {
            if birth == Birth::Again {
                // In its turn, behind what the one before left under way.
                let _ = shared.change(Shared::reconcile).await;
            }
            run::keep_beginning(shared).await;
        };
        self.beginning = Some(AbortOnDrop::spawn(beginning));
    }
}

impl Handler<Envelope<Begin>> for JobsActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Begin>, context: &mut Context<Self>) {
        let (Begin(bodies), reply) = envelope.open();
        self.change(
            context,
            move |shared| shared.set_bodies(bodies),
            move |_| {
                let _ = reply.send(());
            },
        );
    }
}

impl Handler<Envelope<Submit>> for JobsActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Submit>, context: &mut Context<Self>) {
        let (submit, reply) = envelope.open();
        self.change(
            context,
            move |shared| shared.submit(submit.kind, submit.image, submit.parameters),
            // Who asked may have gone.
            move |job| drop(reply.send(job.and_then(|job| job))),
        );
    }
}

impl Handler<Envelope<Cancel>> for JobsActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Cancel>, context: &mut Context<Self>) {
        let (Cancel(uuid), reply) = envelope.open();
        self.change(
            context,
            move |shared| shared.cancel(uuid),
            move |job| drop(reply.send(job.and_then(|job| job))),
        );
    }
}

impl Handler<Envelope<DebugPanic>> for JobsActor {
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
