//! The actor: has the files looked at, and is what the supervisor starts again.
//!
//! Restart policy: what is in force stays; the files are looked at anew.

use super::shared::Shared;
use crate::handle::{Envelope, Request};
use crate::supervise::Guard;
use crate::task::AbortOnDrop;
use actix::{Actor, AsyncContext, Context, Handler, WrapFuture};
use std::sync::Arc;

pub(crate) const NAME: &str = "SettingsWatcher";

pub(crate) struct SettingsActor {
    shared: Arc<Shared>,
    looking: Option<AbortOnDrop<()>>,
    _guard: Guard,
}

/// See [`SettingsWatcher::reload`](super::SettingsWatcher::reload).
pub(super) struct Reload;

impl Request for Reload {
    type Reply = ();
}

/// Panic on purpose.
pub(super) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl SettingsActor {
    pub(super) fn new(shared: Arc<Shared>, guard: Guard) -> Self {
        SettingsActor {
            shared,
            looking: None,
            _guard: guard,
        }
    }
}

impl Actor for SettingsActor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.looking = Some(AbortOnDrop::spawn(self.shared.clone().keep_looking()));
    }
}

impl Handler<Envelope<Reload>> for SettingsActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Reload>, context: &mut Context<Self>) {
        let (Reload, reply) = envelope.open();
        let shared = self.shared.clone();
        let work = async move {
            shared.look_now().await;
            // Who asked may have gone.
            let _ = reply.send(());
        };
        context.spawn(work.into_actor(self));
    }
}

impl Handler<Envelope<DebugPanic>> for SettingsActor {
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
