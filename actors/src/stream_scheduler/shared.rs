//! What outlives an incarnation of the actor: everything but its tasks. Changes are made under one lock, which is held for moments,
//! and published before it is let go.

use super::cycle::{CycleTurns, Cycles};
use super::queue::{Lane, Queue};
use super::server::ImageServerLink;
use super::snapshot::{Counts, HistoryEntry, LastResult, Snapshot};
use super::{Dependencies, Scheduling};
use crate::build_runner::{Build, BuildRunner, Flights};
use crate::log_archive::LogArchive;
use actix::Addr;
use arc_swap::ArcSwap;
use imbl::OrdMap;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;
use tokio::sync::{Notify, watch};

pub(crate) struct Shared {
    pub(super) config: Scheduling,
    pub(super) archive: Option<LogArchive>,
    pub(super) server: ImageServerLink,
    /// Something may be begun.
    pub(super) wake: Notify,
    /// A cycle may go on.
    pub(super) cycle_wake: Notify,
    /// Which cycle is running, and which has ended.
    pub(super) cycle_turns: watch::Sender<CycleTurns>,
    /// Where builds' threads have their asynchronous work done.
    pub(super) runtime: OnceLock<tokio::runtime::Handle>,
    /// Dependencies, and a wish for newer ones.
    pub(super) dependencies: watch::Sender<Arc<Dependencies>>,
    pub(super) dependencies_wanted: Notify,
    /// Sources that are being built within builds.
    pub(super) flights: Arc<Flights>,
    numbers: AtomicU64,
    state: Mutex<State>,
    snapshot: ArcSwap<Snapshot>,
}

/// Everything that changes.
#[derive(Default)]
pub(super) struct State {
    pub(super) queue: Queue,
    pub(super) waiting: BTreeMap<u64, Waiting>,
    pub(super) places: Vec<Place>,
    /// Tickets for each build that has not ended.
    pub(super) tickets: BTreeMap<u64, usize>,
    pub(super) results: OrdMap<String, LastResult>,
    pub(super) histories: OrdMap<String, Arc<Vec<HistoryEntry>>>,
    pub(super) counts: Counts,
    pub(super) requests_disabled_until: Option<SystemTime>,
    pub(super) cycles: Cycles,
    pub(super) bootstrap_streams: Arc<Vec<String>>,
    pub(super) user_streams: Arc<Vec<String>>,
    pub(super) is_stopping: bool,
}

/// A build that waits, and in which lanes.
pub(super) struct Waiting {
    pub(super) build: Arc<Build>,
    pub(super) lanes: BTreeSet<Lane>,
}

/// A place that is taken.
pub(super) struct Place {
    pub(super) build: Arc<Build>,
    pub(super) lane: Lane,
    /// Range of identities; no two places have the same.
    pub(super) slot: u32,
    /// Which attempt to begin it counts.
    pub(super) launch: u64,
    /// A runner has taken it on.
    pub(super) is_begun: bool,
    pub(super) runner: Option<Addr<BuildRunner>>,
    /// Its result is out, and it has not ended.
    pub(super) is_stuck: bool,
}

impl Shared {
    pub(crate) fn new(config: Scheduling, archive: Option<LogArchive>) -> Shared {
        let shared = Shared {
            server: ImageServerLink::new(config.connect.clone()),
            archive,
            wake: Notify::new(),
            cycle_wake: Notify::new(),
            cycle_turns: watch::Sender::default(),
            runtime: OnceLock::new(),
            dependencies: watch::Sender::default(),
            dependencies_wanted: Notify::new(),
            flights: Arc::default(),
            numbers: AtomicU64::new(0),
            state: Mutex::default(),
            snapshot: ArcSwap::default(),
            config,
        };
        super::publish::first();
        let histories = shared.archived_histories();
        let first = shared.now() + shared.config.first_cycle_pause;
        let has_timer = !shared.config.rebuild_interval.is_zero();
        shared.change(|state| {
            state.histories = histories;
            state.cycles.next_at = has_timer.then_some(first);
        });
        shared.take_names();
        shared
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    pub(super) fn now(&self) -> SystemTime {
        self.config.clock.system_time()
    }

    pub(super) fn next(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Changes something, and shows it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let result = change(&mut state);
        let snapshot = super::publish::snapshot(self, &state);
        super::publish::gauges(&snapshot);
        // In the lock, so that an older picture never comes after a newer one.
        self.snapshot.store(Arc::new(snapshot));
        result
    }

    /// Changes something that is not shown.
    pub(super) fn change_unseen<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock())
    }

    /// Looks, and changes nothing.
    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock())
    }

    /// Shows the names of the streams that are in force.
    pub(super) fn take_names(&self) {
        let current = self.config.current.current();
        let bootstrap: Vec<String> = current.configuration.bootstrap_streams.keys().cloned().collect();
        let user = current.streams.iter().map(|(name, _)| name.to_owned()).collect();
        let with_bootstrap = self.config.rebuild_bootstrap_streams;
        let rebuilt = current.configuration.auto_rebuild(with_bootstrap);
        let rebuilt = rebuilt.into_iter().map(str::to_owned).collect();
        self.change(|state| {
            state.bootstrap_streams = Arc::new(bootstrap);
            state.user_streams = Arc::new(user);
            state.cycles.streams = Arc::new(rebuilt);
        });
    }

    /// Takes no requests any more, and cancels everything.
    pub(crate) fn stop(&self) {
        let (waiting, running) = self.change(|state| {
            state.is_stopping = true;
            state.queue = Queue::default();
            let waiting: Vec<Arc<Build>> = std::mem::take(&mut state.waiting)
                .into_values()
                .map(|waiting| waiting.build)
                .collect();
            let running: Vec<Arc<Build>> = state.places.iter().map(|place| place.build.clone()).collect();
            (waiting, running)
        });
        let reason = "the image builder is stopping";
        for build in running {
            build.cancellation.cancel(reason.to_owned());
        }
        for build in waiting {
            self.end_waiting(&build, reason);
        }
    }

    /// Nothing runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.look(|state| state.places.is_empty())
    }
}

impl State {
    /// Nothing of a build is left.
    pub(super) fn free(&mut self, number: u64) {
        self.places.retain(|place| place.build.number != number);
        self.queue.ended(number);
    }

    /// A build that waits or runs.
    pub(super) fn find(&self, number: u64) -> Option<Arc<Build>> {
        let waiting = self.waiting.get(&number).map(|waiting| waiting.build.clone());
        waiting.or_else(|| {
            let mut places = self.places.iter();
            places
                .find(|place| place.build.number == number)
                .map(|place| place.build.clone())
        })
    }
}
