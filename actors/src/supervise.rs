//! Starting an actor again when it has died.
//!
//! actix's own `Supervisor` does not survive a panic: the actor's task is dropped, `restarting()` is never called. So an
//! actor owns a [`Guard`], whose drop is the news of its death, however it died; the supervisor, a task on another
//! thread, waits for that news, pauses, and starts the next incarnation.

use crate::handle::{ActorState, Handle, MAILBOX_MESSAGES};
use actix::{Actor, Context};
use actix_rt::ArbiterHandle;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// Restarts within [`BUDGET_PERIOD`] before the daemon gives up: a panic that comes back at once, whatever is asked, is
/// cured by a human and not by the sixth try.
pub(crate) const BUDGET_RESTARTS: usize = 5;

/// See [`BUDGET_RESTARTS`].
const BUDGET_PERIOD: Duration = Duration::from_secs(60);

/// Pause before the first restart; doubles with each one inside the period.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Lives in the actor. Dropped with it.
pub(crate) struct Guard {
    died: mpsc::Sender<()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Room for one is enough: there is one incarnation at a time.
        let _ = self.died.try_send(());
    }
}

/// Which incarnation of an actor is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Birth {
    /// The first: its state was just loaded.
    First,
    /// A later one: what its predecessor had in hand is unknown.
    Again,
}

/// Runs an actor on `arbiter` until the handle is stopped or the budget is used up, which is told to `given_up`.
pub(crate) async fn supervise<A, F>(
    handle: Handle<A>,
    arbiter: ArbiterHandle,
    given_up: Arc<watch::Sender<Option<String>>>,
    make: F,
) where
    A: Actor<Context = Context<A>>,
    F: Fn(Guard, Birth) -> A + Clone + Send + 'static,
{
    let inner = handle.inner.clone();
    let (died, mut deaths) = mpsc::channel(1);
    let mut recent: VecDeque<Instant> = VecDeque::new();
    let mut birth = Birth::First;
    loop {
        let guard = Guard { died: died.clone() };
        let (make, publish) = (make.clone(), inner.clone());
        let spawned = arbiter.spawn_fn(move || {
            let address = A::create(|context| {
                // Before the first message can come: 16 otherwise.
                context.set_mailbox_capacity(MAILBOX_MESSAGES);
                make(guard, birth)
            });
            if *publish.state.borrow() != ActorState::Stopped {
                publish.address.store(Some(Arc::new(address)));
                publish.state.send_replace(ActorState::Running);
            }
        });
        if !spawned || deaths.recv().await.is_none() {
            break;
        }
        inner.address.store(None);
        if *inner.state.borrow() == ActorState::Stopped {
            return;
        }
        inner.state.send_replace(ActorState::Starting);
        let now = Instant::now();
        recent.push_back(now);
        while recent
            .front()
            .is_some_and(|first| now.duration_since(*first) > BUDGET_PERIOD)
        {
            recent.pop_front();
        }
        *inner.last_error.lock() = Some("panicked; the log has the place".to_owned());
        if recent.len() > BUDGET_RESTARTS {
            let text = format!(
                "{} failed {} times within {} s and is not started again",
                inner.name,
                recent.len(),
                BUDGET_PERIOD.as_secs()
            );
            tracing::error!("{text}");
            inner.state.send_replace(ActorState::GivenUp);
            given_up.send_replace(Some(text));
            return;
        }
        let pause = FIRST_PAUSE * (1 << (recent.len() - 1));
        inner.restarts.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("actor_restarts_total", "actor" => inner.name).increment(1);
        tracing::error!(
            "{} failed; starting it again in {} ms",
            inner.name,
            pause.as_millis()
        );
        actix_rt::time::sleep(pause).await;
        birth = Birth::Again;
    }
    inner.address.store(None);
    inner.state.send_replace(ActorState::Stopped);
}
