//! Starting and stopping.

use super::{NAME, Publisher, PublisherActor, Publishing, Shared};
use crate::actor_thread::ActorThread;
use crate::handle::{ActorState, Handle};
use crate::supervise::supervise;
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

/// The running publisher. Dropped, it stops; jobs it has submitted go on.
pub struct PublisherSystem {
    publisher: Publisher,
    given_up: watch::Receiver<Option<String>>,
    thread: Option<ActorThread>,
}

/// Starts following the image server.
///
/// # Errors
/// The system has no thread for us.
pub fn start_publisher(config: Publishing) -> io::Result<PublisherSystem> {
    let publisher = Publisher {
        shared: Arc::new(Shared::new(config)),
        actor: Handle::new(NAME),
    };
    let (given_up, receiver) = watch::channel(None);
    let (shared, actor) = (publisher.shared.clone(), publisher.actor.clone());
    let thread = ActorThread::start("publisher", move || async move {
        let arbiter = actix_rt::Arbiter::new();
        let make = move |guard, _| PublisherActor::new(shared.clone(), guard);
        actix_rt::spawn(supervise(actor, arbiter.handle(), Arc::new(given_up), make));
        Ok::<_, io::Error>(Vec::from([arbiter]))
    })?;
    Ok(PublisherSystem {
        publisher,
        given_up: receiver,
        thread: Some(thread),
    })
}

impl PublisherSystem {
    /// The handle.
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Holds a text once the actor was given up: the daemon should say it and end.
    pub fn given_up(&self) -> watch::Receiver<Option<String>> {
        self.given_up.clone()
    }

    /// Ends the link and the thread. Blocks.
    pub fn stop(mut self) {
        self.stop_actor();
    }

    fn stop_actor(&mut self) {
        if let Some(thread) = self.thread.take() {
            let inner = &self.publisher.actor.inner;
            inner.state.send_replace(ActorState::Stopped);
            inner.address.store(None);
            thread.stop();
        }
    }
}

impl Drop for PublisherSystem {
    fn drop(&mut self) {
        self.stop_actor();
    }
}
