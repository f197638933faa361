//! Carries cycles out: begins them when it is time, and does what there is to do in them, all that can be at once.

use super::super::shared::Shared;
use super::super::{RequestError, SwitchError, streams};
use super::CycleTurns;
use super::plan::plan;
use super::steps::{Task, Turn};
use crate::build_runner::{BuildOrder, BuildState, Why};
use builder::Delivery;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use image_client::Error;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How long a cycle waits for the first load of the streams (`imaginator.md §15`).
const STREAMS_WAIT: Duration = Duration::from_secs(300);

/// Attempts to extend an image, when the image server is there and the call fails.
const EXTEND_ATTEMPTS: usize = 3;

/// Pause between two such attempts.
const EXTEND_PAUSE: Duration = Duration::from_secs(1);

/// Runs until it is dropped. What was being done then is done again by the next.
pub(in super::super) async fn run(shared: Arc<Shared>) {
    let mut work: FuturesUnordered<BoxFuture<'static, Task>> = FuturesUnordered::new();
    let mut in_hand: BTreeSet<Task> = BTreeSet::new();
    loop {
        shared.begin_if_due();
        let tasks = shared.look(|state| state.cycles.tasks());
        for task in tasks {
            if in_hand.insert(task.clone()) {
                work.push(carry_out(shared.clone(), task).boxed());
            }
        }
        shared.end_if_over();
        tokio::select! {
            () = shared.cycle_wake.notified() => {}
            Some(done) = work.next(), if !work.is_empty() => {
                in_hand.remove(&done);
            }
            () = tokio::time::sleep(shared.config.look_at_clock) => {}
        }
    }
}

async fn carry_out(shared: Arc<Shared>, task: Task) -> Task {
    match &task {
        Task::Plan => make_plan(&shared).await,
        Task::Start(stream) => start(&shared, stream).await,
        Task::Extend(stream) => {
            let outcome = extend(&shared, stream).await;
            if let Err(error) = &outcome {
                tracing::warn!("Automatic rebuilds: {stream}: {error}");
            }
            shared.change(|state| state.cycles.extended(stream, outcome));
        }
    }
    task
}

async fn make_plan(shared: &Shared) {
    let loaded = shared.wait_for_streams(STREAMS_WAIT).await;
    let extends_only = loaded
        .err()
        .map(|_| "the image streams were never loaded".to_owned());
    shared.take_names();
    let current = shared.config.current.current();
    let bootstrap = current.configuration.bootstrap_streams.keys().cloned().collect();
    let dependencies = shared.dependencies.borrow().clone();
    shared.change(|state| {
        let streams = state.cycles.streams.clone();
        let plan = plan(&streams, &bootstrap, &dependencies.stream_to_source);
        state.cycles.planned(plan, extends_only);
    });
}

async fn start(shared: &Arc<Shared>, stream: &str) {
    let now = shared.now();
    let turn = shared.change(|state| state.cycles.turn(stream, now));
    let Turn::Build {
        expires_in,
        started_by,
    } = turn
    else {
        return;
    };
    let is_known = streams::recipe(&shared.config.current.current(), stream).map(drop);
    let why = why(shared, stream, started_by).await;
    let order = BuildOrder {
        stream: stream.to_owned(),
        variables: BTreeMap::new(),
        branch: String::new(),
        max_source_age: None,
        deadline: shared.deadline(Duration::ZERO),
        delivery: Delivery::Publish,
        disable_recursive_build: false,
        requester: String::new(),
        why,
    };
    let interval = shared.config.rebuild_interval;
    match is_known.and_then(|()| shared.enqueue(order, expires_in)) {
        Ok(ticket) => {
            let build = ticket.keep();
            shared.change(|state| {
                // It may have ended before it could be noted that we wait for it.
                let ended = match build.state() {
                    BuildState::Ended(result) => Some(result),
                    _ => None,
                };
                state
                    .cycles
                    .begun(stream, build.number, ended.as_deref(), interval);
            });
        }
        Err(RequestError::Stopping) => {}
        Err(error) => {
            tracing::warn!("Automatic rebuilds: {stream}: {error}");
            shared.change(|state| state.cycles.cannot_build(stream, error.to_string()));
        }
    }
}

/// Why a stream is built in a cycle.
async fn why(shared: &Shared, stream: &str, started_by: Option<String>) -> Why {
    let source = shared.dependencies.borrow().stream_to_source.get(stream).cloned();
    let (own, of_source) = shared.look(|state| {
        let of_source = source.as_deref().and_then(|source| state.last_good(source));
        (state.last_good(stream), of_source)
    });
    match (own, of_source, source) {
        (Some(own), Some(of_source), Some(source)) if of_source > own => return Why::SourceNewer { source },
        // Nothing is known of it here; the image server may know.
        (None, ..) if matches!(shared.server.latest(stream).await, Ok(None)) => return Why::NeverBuilt,
        _ => {}
    }
    match started_by {
        Some(user) => Why::StartedBy { user },
        None => Why::Interval,
    }
}

/// Extends the newest image of a stream; waits for the image server as long as it takes, since without that nothing is left when
/// the image expires.
async fn extend(shared: &Shared, stream: &str) -> Result<(), String> {
    let mut attempts = 0;
    loop {
        let outcome = match shared.server.latest(stream).await {
            Ok(None) => return Err("there is no image to be extended".to_owned()),
            Ok(Some(image)) => {
                let until = shared.look(|state| state.cycles.extends_until(shared.now()));
                let Some(until) = until else { return Ok(()) };
                shared.server.extend(&image, until).await
            }
            Err(error) => Err(error),
        };
        let error = match outcome {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if !matches!(error, Error::Connect { .. }) {
            attempts += 1;
        }
        if matches!(error, Error::Refused(_) | Error::GoToMaster(_)) || attempts >= EXTEND_ATTEMPTS {
            return Err(format!("cannot extend its newest image: {error}"));
        }
        tokio::time::sleep(EXTEND_PAUSE).await;
        shared.server.wait().await;
    }
}

impl Shared {
    fn begin_if_due(&self) {
        let now = self.now();
        let is_due = self.look(|state| {
            let is_time = state.cycles.next_at.is_some_and(|at| at <= now);
            is_time && !state.is_stopping
        });
        if is_due {
            self.begin_cycle(None);
        }
    }

    /// Begins a cycle, unless one is running; its number.
    fn begin_cycle(&self, started_by: Option<String>) -> Option<u64> {
        let now = self.now();
        let interval = self.config.rebuild_interval;
        let begun = self.change(|state| state.cycles.begin(started_by, interval, now))?;
        // After it is shown: who has waited for this looks there.
        self.cycle_turns.send_modify(|turns| turns.running = Some(begun));
        metrics::counter!("imaginator_rebuild_cycles_total").increment(1);
        Some(begun)
    }

    fn end_if_over(&self) {
        let now = self.now();
        let is_running = self.cycle_turns.borrow().running.is_some();
        if !is_running {
            return;
        }
        let ended = self.change(|state| state.cycles.end_if_over(now));
        if let Some(number) = ended {
            let turns = CycleTurns {
                running: None,
                ended: number,
            };
            self.cycle_turns.send_replace(turns);
            tracing::info!("Automatic rebuilds: cycle {number} has ended");
        }
    }

    /// Starts a cycle by hand (`imaginator.md §16`); its number.
    pub(in super::super) fn start_cycle(&self, who: &str) -> Result<u64, SwitchError> {
        let number = self.begin_cycle(Some(who.to_owned())).ok_or(SwitchError::Busy)?;
        tracing::info!("StartAutoBuilds({who})");
        self.cycle_wake.notify_one();
        Ok(number)
    }
}
