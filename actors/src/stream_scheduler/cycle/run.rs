//! Carries cycles out: begins them when it is time, and does what there is to do in them, all that can be at once.

use super::super::shared::{Shared, State};
use super::super::{RequestError, SwitchError, streams};
use super::CycleTurns;
use super::clock::set_back;
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
use tokio::time::timeout;

/// How long a cycle waits for the first load of the streams (`imaginator.md §15`).
const STREAMS_WAIT: Duration = Duration::from_secs(300);

/// Attempts to extend an image, when the image server is there and the call fails.
const EXTEND_ATTEMPTS: usize = 3;

/// Pause between two such attempts.
const EXTEND_PAUSE: Duration = Duration::from_secs(1);

/// A cycle that waits for the image server for longer says so.
const SERVER_PATIENCE: Duration = Duration::from_secs(5);

/// The image server is asked for so long, at the begin of a cycle, which streams were never built.
const ASK_WAIT: Duration = Duration::from_secs(5);

/// Runs until it is dropped, or the daemon is stopping. What was being done when it was dropped is done again by the next.
pub(in super::super) async fn run(shared: Arc<Shared>) {
    let mut work: FuturesUnordered<BoxFuture<'static, Task>> = FuturesUnordered::new();
    let mut in_hand: BTreeSet<Task> = BTreeSet::new();
    // Nothing is taken into the queue any more then, so that everything would be tried again and again.
    while !shared.look(|state| state.is_stopping) {
        shared.look_at_clock();
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
        Task::Start(stream) => start(&shared, stream),
        Task::Await(stream) => {
            wait_for_server(&shared).await;
            shared.change(|state| state.cycles.server_is_back(stream));
        }
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
    if shared.look(|state| !state.cycles.streams.is_empty()) {
        wait_for_server(shared).await;
        shared.take_names();
    }
    let current = shared.config.current.current();
    let bootstrap = current.configuration.bootstrap_streams.keys().cloned().collect();
    let never_built = never_built(shared).await;
    shared.change(|state| {
        let streams = state.cycles.streams.clone();
        let plan = plan(&streams, &bootstrap, &state.cycles.sources);
        state.cycles.planned(plan, extends_only, never_built);
    });
}

/// Without it images can be neither sent nor extended: all builds would fail, after hours of work.
async fn wait_for_server(shared: &Shared) {
    if timeout(SERVER_PATIENCE, shared.server.wait()).await.is_err() {
        tracing::warn!("Automatic rebuilds: the image server is not reached; the cycle waits for it");
        shared.server.wait().await;
    }
}

/// Streams of which nothing is known here and the image server has no image. This is only told, so it does not wait for a server
/// that is slow.
async fn never_built(shared: &Shared) -> BTreeSet<String> {
    let streams: Vec<String> = shared.look(|state| {
        let streams = state.cycles.streams.iter();
        let unknown = streams.filter(|stream| state.last_good(stream).is_none());
        unknown.cloned().collect()
    });
    let mut never_built = BTreeSet::new();
    let ask = async {
        for stream in streams {
            match shared.server.latest(&stream).await {
                Ok(None) => {
                    never_built.insert(stream);
                }
                Err(Error::Connect { .. }) => return,
                Ok(Some(_)) | Err(_) => {}
            }
        }
    };
    // Too late: then it is built because it is time.
    let _ = timeout(ASK_WAIT, ask).await;
    never_built
}

fn start(shared: &Arc<Shared>, stream: &str) {
    let now = shared.now();
    let turn = shared.change(|state| state.cycles.turn(stream, now));
    let Turn::Build {
        expires_in,
        started_by,
        is_new,
    } = turn
    else {
        return;
    };
    let is_known = streams::recipe(&shared.config.current.current(), stream).map(drop);
    let why = shared.look(|state| why(state, stream, started_by, is_new));
    let order = BuildOrder {
        stream: stream.to_owned(),
        variables: BTreeMap::new(),
        branch: String::new(),
        max_source_age: None,
        deadline: shared.deadline(Duration::ZERO),
        delivery: Delivery::Publish,
        disable_recursive_build: false,
        cancel_on_disconnect: false,
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
fn why(state: &State, stream: &str, started_by: Option<String>, is_new: bool) -> Why {
    let source = state.cycles.source_of(stream);
    let own = state.last_good(stream);
    match (own, source.and_then(|source| state.last_good(source)), source) {
        (Some(own), Some(of_source), Some(source)) if of_source > own => {
            let source = source.to_owned();
            return Why::SourceNewer { source };
        }
        (None, ..) if is_new => return Why::NeverBuilt,
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

    fn look_at_clock(&self) {
        let now = self.now();
        let back = self.change_unseen(|state| {
            let back = state.cycles.look_at_clock(now);
            if let Some(until) = &mut state.requests_disabled_until {
                set_back(until, back);
            }
            back
        });
        if !back.is_zero() {
            tracing::warn!(
                "The clock was set back by {}: automatic rebuilds go by the new time",
                human::duration(back)
            );
            self.change(|_| ());
        }
    }

    /// Begins a cycle; its number.
    fn begin_cycle(&self, started_by: Option<String>) -> Option<u64> {
        let now = self.now();
        let interval = self.config.rebuild_interval;
        let begun = self.change(|state| state.cycles.begin(started_by, interval, now))?;
        // After it is shown: who has waited for this looks there.
        self.cycle_turns.send_modify(|turns| {
            turns.running = Some(begun);
            // If the one before had not, it has now.
            turns.ended = begun - 1;
        });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_watcher::{Current, Published};
    use crate::stream_scheduler::Scheduling;
    use builder::{BuildError, Built, Engine, Order, Watcher};

    struct NeverAsked;

    impl Engine for NeverAsked {
        fn build(&self, _: &Order, _: &Arc<dyn Watcher>) -> Result<Built, BuildError> {
            unreachable!("nothing takes builds out of the queue here")
        }
    }

    #[tokio::test]
    async fn when_the_daemon_is_stopping_nothing_is_tried_again_and_again() {
        let connect = Arc::new(|| srpc::ConnectOptions::new("127.0.0.1:1"));
        let current = Published::new(Current::default());
        let scheduling = Scheduling::new(current, Arc::new(NeverAsked), connect);
        let shared = Arc::new(Shared::new(scheduling, None));
        shared.start_cycle("fred").unwrap();
        let plan = vec![("a".to_owned(), Vec::new())];
        shared.change(|state| state.cycles.planned(plan, None, BTreeSet::new()));
        shared.stop();
        // Else it goes round for ever, with a stream whose turn it is.
        timeout(Duration::from_secs(30), run(shared.clone()))
            .await
            .unwrap();
        assert!(shared.look(|state| state.cycles.building().is_empty()));
    }
}
