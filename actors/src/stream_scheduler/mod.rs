//! What is built, when, and for whom: requests and automatic rebuilds in one queue.
//!
//! A request is checked (`checks`), then joins an equal build or waits for its turn (`enqueue`, `queue`); a free place begins the next
//! (`dispatch`), in an actor and on a thread of its own ([`build_runner`](crate::build_runner)); what came of it is kept, shown and
//! archived (`finish`). Automatic rebuilds go through the same queue (`cycle`).
//!
//! Promises: requesters take turns, and the automatic builds are one of them; whoever asked gets an answer, also when the actor, a
//! build's actor or a build panics; a place is free again only when nothing of its build is left; a stream that fails holds up no
//! other. Lacks on purpose: anything that outlives the process but what the archive has. Queue, switches and pauses of failing streams are
//! lost with it, as the original's are.
//!
//! | module | what | specification |
//! | --- | --- | --- |
//! | `checks` | what a request is held against | `imaginator.md §10` |
//! | `queue`, `enqueue`, `dispatch` | turns, joining, cancelling, places | |
//! | `cycle` | automatic rebuilds | `imaginator.md §15` |
//! | `switches` | disabling and enabling | `imaginator.md §16` |
//! | `generate` | which stream is built on which | `imaginator.md §17` |
//! | `directories`, `server` | what the image server is asked for | `imaginator.md §18` |
//! | `finish`, `publish`, [`Snapshot`] | results, histories, what is shown | |
//! | `host` | what builds ask of us | |

mod actor;
mod checks;
mod config;
mod cycle;
mod dependencies;
mod directories;
mod dispatch;
mod enqueue;
mod error;
mod finish;
mod generate;
mod host;
mod logs;
mod publish;
mod queue;
mod request;
mod server;
mod shared;
mod snapshot;
mod streams;
mod switches;
mod tasks;
mod ticket;

pub(crate) use actor::{NAME, SchedulerActor};
pub use config::{ManifestFetcher, ManifestUrl, Manifests, Reload, Scheduling};
pub use dependencies::Dependencies;
pub use enqueue::{QUEUE_BUILDS, QUEUE_BUILDS_PER_USER};
pub use error::{CancelError, RequestError, SwitchError};
pub use request::{BuildRequest, BuildRequester};
pub(crate) use shared::Shared;
pub use snapshot::{
    AutoStatus, BackingOff, Counts, CycleState, CycleStatus, HISTORY_RESULTS, HistoryEntry, LastResult,
    QueuedBuild, Snapshot, UsualTimes, WaitsFor,
};
pub use ticket::Ticket;

use crate::handle::{CallError, Handle, Health};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The scheduler's handle. Clones are cheap.
#[derive(Clone)]
pub struct StreamScheduler {
    pub(crate) shared: Arc<Shared>,
    pub(crate) actor: Handle<SchedulerActor>,
}

impl StreamScheduler {
    /// Asks for a build (`imaginator.md §10`): checks in the order of the specification, then puts it into the queue, or joins an
    /// equal one. May take up to two minutes, while streams are loaded and the image server is not reached.
    pub async fn request(&self, request: BuildRequest) -> Result<Ticket, RequestError> {
        let expires_in = request.expires_in;
        let asked = async {
            let order = self.shared.check(request).await?;
            self.actor.call(actor::Enqueue { order, expires_in }).await?
        };
        let asked = asked.await;
        if asked.is_err() {
            self.shared.refused();
        }
        asked
    }

    /// Ends a build that waits or runs, in the name of somebody. One that runs ends soon, not at once.
    pub async fn cancel(&self, number: u64, who: &str) -> Result<(), CancelError> {
        let reason = match who {
            "" => "cancelled".to_owned(),
            who => format!("cancelled by {who}"),
        };
        self.actor.call(actor::Cancel { number, reason }).await?
    }

    /// Starts a cycle of automatic rebuilds (`imaginator.md §16`), after the running one if that is to be waited for. Returns
    /// when it has begun, or with `wait_for_complete` when it has ended.
    pub async fn start_auto_builds(
        &self,
        who: &str,
        wait_to_start: bool,
        wait_for_complete: bool,
    ) -> Result<(), SwitchError> {
        let mut turns = self.shared.cycle_turns.subscribe();
        let number = loop {
            let who = who.to_owned();
            match self.actor.call(actor::StartCycle { who }).await? {
                Err(SwitchError::Busy) if wait_to_start => {}
                started => break started?,
            }
            // The sender lives in what we hold.
            let _ = turns.wait_for(|turns| turns.running.is_none()).await;
        };
        if wait_for_complete {
            let _ = turns.wait_for(|turns| turns.ended >= number).await;
        }
        Ok(())
    }

    /// Automatic rebuilds build nothing for so long; zero enables them. The end of that time, if there is one.
    pub async fn disable_auto_builds(
        &self,
        who: &str,
        disable_for: Duration,
    ) -> Result<Option<SystemTime>, SwitchError> {
        let disable = actor::Disable {
            who: who.to_owned(),
            disable_for,
            is_auto: true,
        };
        self.actor.call(disable).await?
    }

    /// Requests are refused for so long; zero enables them. The end of that time, if there is one.
    pub async fn disable_build_requests(
        &self,
        who: &str,
        disable_for: Duration,
    ) -> Result<Option<SystemTime>, SwitchError> {
        let disable = actor::Disable {
            who: who.to_owned(),
            disable_for,
            is_auto: false,
        };
        self.actor.call(disable).await?
    }

    /// Which stream is built on which. With a `max_age` that is not zero it waits for an attempt that is younger than that, and
    /// two seconds at least; that attempt may have failed.
    pub async fn dependencies(&self, max_age: Duration) -> Result<Arc<Dependencies>, CallError> {
        Ok(self.shared.dependencies(max_age).await)
    }

    /// Everything that is shown.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot()
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        let snapshot = self.snapshot();
        health.trouble = snapshot.stuck.first().map(|build| {
            format!(
                "build {} of {} does not end, and keeps its place",
                build.number,
                build.stream()
            )
        });
        health.last_error = health.trouble.clone().or(health.last_error);
        health
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(actor::DebugPanic { build: None }).await
    }

    /// Makes the actor of a build panic, if the configuration allows it: for tests.
    pub async fn debug_panic_runner(&self, number: u64) -> Result<(), CallError> {
        let build = Some(number);
        self.actor.call(actor::DebugPanic { build }).await
    }
}
