//! The actor: takes changes, and has what waits made together.
//!
//! Restart policy: changes that wait, and those of the batch in hand, are answered `Restarted`. The snapshot stays; before the next
//! change the journal is carried out and the directory compared with what is known.

use super::request::{Change, InHand, Waiting};
use super::{Shared, agree, batch};
use crate::handle::{Envelope, Request};
use crate::supervise::{Birth, Guard};
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use std::collections::VecDeque;
use std::sync::Arc;

pub(crate) const NAME: &str = "ImageRepository";

/// Changes that wait, at most; further ones are refused.
const WAITING_CHANGES: usize = 1024;

pub(crate) struct ImageRepositoryActor {
    shared: Arc<Shared>,
    birth: Birth,
    waiting: VecDeque<Waiting>,
    is_writing: bool,
    _guard: Guard,
}

/// Panic on purpose: in the actor, or in the middle of the next batch.
pub(super) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl ImageRepositoryActor {
    pub(super) fn new(shared: Arc<Shared>, guard: Guard, birth: Birth) -> Self {
        Self {
            shared,
            birth,
            waiting: VecDeque::new(),
            is_writing: false,
            _guard: guard,
        }
    }

    /// Gives the writer what waits, if it has nothing.
    fn next(&mut self, context: &mut Context<Self>) {
        if self.is_writing || self.waiting.is_empty() {
            return;
        }
        self.is_writing = true;
        let (shared, batch) = (self.shared.clone(), batch::next(&mut self.waiting));
        let work = async move {
            let writer = shared.writer.clone();
            writer.run(move || batch::run(&shared, batch)).await
        };
        let done = work.into_actor(self).map(|result, actor, context| {
            actor.is_writing = false;
            match result {
                Ok(()) => actor.next(context),
                Err(error) => {
                    // Nobody knows how far it came: the next incarnation looks.
                    tracing::error!("changing images: {error}");
                    context.terminate();
                }
            }
        });
        context.spawn(done);
    }
}

impl Actor for ImageRepositoryActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        if self.birth == Birth::First {
            return;
        }
        // No message is taken until memory and disk agree.
        let shared = self.shared.clone();
        let agree = async move {
            let writer = shared.writer.clone();
            let agreed = writer.run(move || agree::with_disk(&shared, &mut shared.known.lock()));
            match agreed.await {
                Ok(Ok(())) => {}
                // It is tried again before the next change.
                Ok(Err(error)) => tracing::error!("reading the repository again: {error}"),
                Err(error) => tracing::error!("reading the repository again: {error}"),
            }
        };
        context.wait(agree.into_actor(self));
    }
}

impl Handler<Envelope<Change>> for ImageRepositoryActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Change>, context: &mut Context<Self>) {
        let (change, reply) = envelope.open();
        if self.waiting.len() >= WAITING_CHANGES {
            let _ = reply.send(Err(crate::CallError::Busy { actor: NAME }.into()));
            return;
        }
        let in_hand = InHand::new(&self.shared);
        self.waiting.push_back(Waiting {
            change,
            reply,
            in_hand,
        });
        self.next(context);
    }
}

impl Handler<Envelope<DebugPanic>> for ImageRepositoryActor {
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
