//! The actor: has logs stored one after the other, and is what the supervisor starts again.
//!
//! Restart policy: nothing is lost. What was being stored is stored again, unless it was.

use super::{ArchiveError, Shared};
use crate::handle::{Envelope, Request};
use crate::pool::PoolError;
use crate::supervise::Guard;
use crate::task::AbortOnDrop;
use actix::{Actor, Context, Handler};
use std::sync::Arc;

pub(crate) const NAME: &str = "LogArchive";

pub(crate) struct ArchiveActor {
    shared: Arc<Shared>,
    storing: Option<AbortOnDrop<()>>,
    _guard: Guard,
}

/// Panic on purpose.
pub(super) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl ArchiveActor {
    pub(crate) fn new(shared: Arc<Shared>, guard: Guard) -> Self {
        ArchiveActor {
            shared,
            storing: None,
            _guard: guard,
        }
    }
}

impl Actor for ArchiveActor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.storing = Some(AbortOnDrop::spawn(keep_storing(self.shared.clone())));
    }
}

async fn keep_storing(shared: Arc<Shared>) {
    loop {
        while let Some(job) = shared.next_job() {
            let storing = shared.clone();
            let stored = shared.writer.run(move || storing.store(&job)).await;
            let panicked = |error: PoolError| Err(ArchiveError::Internal(error.to_string()));
            shared.done(stored.unwrap_or_else(panicked));
        }
        shared.wake.notified().await;
    }
}

impl Handler<Envelope<DebugPanic>> for ArchiveActor {
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
