//! What is built, when, and for whom: requests and automatic rebuilds in one queue.

mod actor;
mod config;
mod dependencies;
mod error;
mod request;
mod shared;
mod snapshot;
mod streams;
mod ticket;

pub(crate) use actor::{NAME, SchedulerActor};
pub use config::{ManifestFetcher, ManifestUrl, Manifests, Scheduling};
pub use dependencies::Dependencies;
pub use error::{CancelError, RequestError, SwitchError};
pub use request::{BuildRequest, BuildRequester};
pub(crate) use shared::Shared;
pub use snapshot::{
    AutoStatus, BackingOff, Counts, CycleState, CycleStatus, HISTORY_RESULTS, HistoryEntry, LastResult,
    QueuedBuild, Snapshot, UsualTimes, WaitsFor,
};
pub use streams::{FoundStream, StreamSource};
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
    pub async fn request(&self, _request: BuildRequest) -> Result<Ticket, RequestError> {
        Err(RequestError::Stopping)
    }

    /// Ends a build that waits or runs, in the name of somebody. One that runs ends soon, not at once.
    pub async fn cancel(&self, number: u64, _who: &str) -> Result<(), CancelError> {
        Err(CancelError::Unknown(number))
    }

    /// Starts a cycle of automatic rebuilds (`imaginator.md §16`), after the running one if that is to be waited for. Returns
    /// when it has begun, or with `wait_for_complete` when it has ended.
    pub async fn start_auto_builds(
        &self,
        _who: &str,
        _wait_to_start: bool,
        _wait_for_complete: bool,
    ) -> Result<(), SwitchError> {
        Err(SwitchError::Busy)
    }

    /// Automatic rebuilds build nothing for so long; zero enables them. The end of that time, if there is one.
    pub async fn disable_auto_builds(
        &self,
        _who: &str,
        _disable_for: Duration,
    ) -> Result<Option<SystemTime>, SwitchError> {
        Err(SwitchError::Busy)
    }

    /// Requests are refused for so long; zero enables them. The end of that time, if there is one.
    pub async fn disable_build_requests(
        &self,
        _who: &str,
        _disable_for: Duration,
    ) -> Result<Option<SystemTime>, SwitchError> {
        Err(SwitchError::Busy)
    }

    /// Which stream is built on which. With a `max_age` that is not zero it waits for an attempt that is younger than that, and
    /// two seconds at least; that attempt may have failed.
    pub async fn dependencies(&self, _max_age: Duration) -> Result<Arc<Dependencies>, CallError> {
        Ok(self.snapshot().dependencies.clone())
    }

    /// Everything that is shown.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot()
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        self.actor.health()
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(actor::DebugPanic).await
    }
}
