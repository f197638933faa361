//! The one way to talk to an actor: a bounded, non-blocking send with a reply, to whoever is the actor now.
//!
//! actix offers `try_send` without a reply, `send` that waits for room, and `do_send` that ignores the bound; none tells
//! how long the queue is, and an address dies with its actor. A handle sends a message together with a one-shot
//! reply, counts what is queued, and looks the address up for every call, since a restart changes it.

use actix::dev::SendError;
use actix::{Actor, Addr, Context};
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Messages an actor has waiting at most.
pub(crate) const MAILBOX_MESSAGES: usize = 1024;

/// How long a call waits for an actor that is being restarted.
const RESTART_WAIT: Duration = Duration::from_secs(10);

/// Why a call has no answer. The request may or may not have been carried out with [`Restarted`](Self::Restarted);
/// with the others it was not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Too many requests are waiting.
    #[error("{actor} is busy: try again later")]
    Busy {
        /// Name of the actor.
        actor: &'static str,
    },
    /// The actor failed and was started again while the request was in its hands.
    #[error(
        "{actor} was restarted while the request was in progress: look whether it was done, else try again"
    )]
    Restarted {
        /// Name of the actor.
        actor: &'static str,
    },
    /// The daemon is stopping, or has given the actor up.
    #[error("{actor} has stopped")]
    Stopped {
        /// Name of the actor.
        actor: &'static str,
    },
}

/// What an actor is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorState {
    /// Not yet, or not again, taking messages.
    Starting,
    /// Taking messages.
    Running,
    /// It failed too often and is not started again.
    GivenUp,
    /// Stopped on request.
    Stopped,
}

/// An actor's answer to "how are you".
#[derive(Debug, Clone)]
pub struct Health {
    /// Name of the actor.
    pub actor: &'static str,
    /// What it is doing.
    pub state: ActorState,
    /// Messages waiting.
    pub queue_len: usize,
    /// What went wrong last, if anything has.
    pub last_error: Option<String>,
    /// What is wrong now, although it runs: to be told as long as it lasts. What is over is in `last_error` alone.
    pub trouble: Option<String>,
    /// Restarts since the start of the process.
    pub restarts: u64,
}

/// A message with a typed reply.
pub(crate) trait Request: Send + 'static {
    type Reply: Send + 'static;
}

/// A request on its way.
pub(crate) struct Envelope<M: Request> {
    message: M,
    reply: oneshot::Sender<M::Reply>,
    _queued: Queued,
}

impl<M: Request> Envelope<M> {
    /// Takes it out of the queue. Dropping the sender tells the caller that the actor was restarted.
    pub(crate) fn open(self) -> (M, oneshot::Sender<M::Reply>) {
        (self.message, self.reply)
    }
}

impl<M: Request> actix::Message for Envelope<M> {
    type Result = ();
}

/// Counts a message as long as it waits.
struct Queued(Arc<AtomicUsize>);

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Shared by all who call an actor, and by its supervisor.
pub(crate) struct Handle<A: Actor> {
    pub(crate) inner: Arc<Inner<A>>,
}

impl<A: Actor> Clone for Handle<A> {
    fn clone(&self) -> Self {
        Handle {
            inner: self.inner.clone(),
        }
    }
}

pub(crate) struct Inner<A: Actor> {
    pub(crate) name: &'static str,
    pub(crate) address: ArcSwapOption<Addr<A>>,
    pub(crate) state: watch::Sender<ActorState>,
    pub(crate) restarts: AtomicU64,
    pub(crate) last_error: Mutex<Option<String>>,
    queued: Arc<AtomicUsize>,
}

impl<A: Actor<Context = Context<A>>> Handle<A> {
    pub(crate) fn new(name: &'static str) -> Handle<A> {
        Handle {
            inner: Arc::new(Inner {
                name,
                address: ArcSwapOption::empty(),
                state: watch::Sender::new(ActorState::Starting),
                restarts: AtomicU64::new(0),
                last_error: Mutex::new(None),
                queued: Arc::default(),
            }),
        }
    }

    /// Sends a message and waits for its reply. Waits for an actor that is being restarted, but never for room.
    pub(crate) async fn call<M>(&self, message: M) -> Result<M::Reply, CallError>
    where
        M: Request,
        A: actix::Handler<Envelope<M>>,
    {
        let actor = self.inner.name;
        let (reply, answer) = oneshot::channel();
        self.inner.queued.fetch_add(1, Ordering::Relaxed);
        let queued = Queued(self.inner.queued.clone());
        let mut envelope = Envelope {
            message,
            reply,
            _queued: queued,
        };
        loop {
            let address = self.running().await?;
            match address.try_send(envelope) {
                Ok(()) => break,
                Err(SendError::Full(_)) => return Err(CallError::Busy { actor }),
                // It died after we looked.
                Err(SendError::Closed(returned)) => envelope = returned,
            }
            self.forget(&address);
        }
        answer.await.map_err(|_| CallError::Restarted { actor })
    }

    /// The address of the running actor.
    async fn running(&self) -> Result<Arc<Addr<A>>, CallError> {
        let actor = self.inner.name;
        if let Some(address) = self.inner.address.load_full() {
            return Ok(address);
        }
        let mut state = self.inner.state.subscribe();
        let waited = tokio::time::timeout(RESTART_WAIT, async {
            loop {
                match *state.borrow_and_update() {
                    ActorState::GivenUp | ActorState::Stopped => return Err(CallError::Stopped { actor }),
                    ActorState::Starting | ActorState::Running => {}
                }
                if let Some(address) = self.inner.address.load_full() {
                    return Ok(address);
                }
                if state.changed().await.is_err() {
                    return Err(CallError::Stopped { actor });
                }
            }
        });
        waited.await.unwrap_or(Err(CallError::Busy { actor }))
    }

    /// A dead address is not offered again; its supervisor publishes the next one.
    fn forget(&self, dead: &Arc<Addr<A>>) {
        self.inner.address.rcu(|current| match current {
            Some(address) if Arc::ptr_eq(address, dead) => None,
            other => other.clone(),
        });
    }

    pub(crate) fn health(&self) -> Health {
        Health {
            actor: self.inner.name,
            state: *self.inner.state.borrow(),
            queue_len: self.inner.queued.load(Ordering::Relaxed),
            last_error: self.inner.last_error.lock().clone(),
            trouble: None,
            restarts: self.inner.restarts.load(Ordering::Relaxed),
        }
    }
}
