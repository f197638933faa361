//! The actor: owns the looking, and is what the supervisor starts again.
//!
//! Restart policy: what is in force and what was seen stay; looks in progress end, and files are looked at anew.

use super::kind::Kind;
use super::shared::Shared;
use super::watch;
use crate::handle::{Envelope, Request};
use crate::supervise::Guard;
use crate::task::AbortOnDrop;
use actix::{Actor, AsyncContext, Context, Handler, WrapFuture};
use std::sync::Arc;

pub(crate) const NAME: &str = "ConfigWatcher";

pub(crate) struct ConfigWatcherActor {
    shared: Arc<Shared>,
    /// Run beside the actor, so that it answers whatever they wait for.
    looking: Vec<AbortOnDrop<()>>,
    _guard: Guard,
}

/// Read everything again: see [`ConfigWatcher::reload`](super::ConfigWatcher::reload).
pub(super) struct Reload;

impl Request for Reload {
    type Reply = ();
}

/// Read the image streams again: see [`ConfigWatcher::reload_streams`](super::ConfigWatcher::reload_streams).
pub(super) struct ReloadStreams;

impl Request for ReloadStreams {
    type Reply = ();
}

/// Panic on purpose.
pub(super) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl ConfigWatcherActor {
    pub(crate) fn new(shared: Arc<Shared>, guard: Guard) -> Self {
        ConfigWatcherActor {
            shared,
            looking: Vec::new(),
            _guard: guard,
        }
    }
}

impl Actor for ConfigWatcherActor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        for kind in Kind::ALL {
            let looking = watch::keep_looking(self.shared.clone(), kind);
            self.looking.push(AbortOnDrop::spawn(looking));
        }
        let copying = watch::take_copy_in_time(self.shared.clone());
        self.looking.push(AbortOnDrop::spawn(copying));
    }
}

impl Handler<Envelope<Reload>> for ConfigWatcherActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Reload>, context: &mut Context<Self>) {
        let (Reload, reply) = envelope.open();
        let shared = self.shared.clone();
        let work = async move {
            for kind in Kind::ALL {
                shared.remember(kind, |memory| memory.is_stale = true);
                shared.look_soon(kind).await;
            }
            // Who asked may have gone.
            let _ = reply.send(());
        };
        context.spawn(work.into_actor(self));
    }
}

impl Handler<Envelope<ReloadStreams>> for ConfigWatcherActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<ReloadStreams>, context: &mut Context<Self>) {
        let (ReloadStreams, reply) = envelope.open();
        let shared = self.shared.clone();
        let work = async move {
            shared.look_soon(Kind::Streams).await;
            let _ = reply.send(());
        };
        context.spawn(work.into_actor(self));
    }
}

impl Handler<Envelope<DebugPanic>> for ConfigWatcherActor {
    type Result = ();

    // The panic is the purpose of the message; it is off unless the configuration turns it on.
    #[allow(clippy::panic)]
    fn handle(&mut self, envelope: Envelope<DebugPanic>, _: &mut Context<Self>) {
        if self.shared.settings.allow_debug_panic {
            panic!("debug panic of {NAME}");
        }
        let _ = envelope.open().1.send(());
    }
}
