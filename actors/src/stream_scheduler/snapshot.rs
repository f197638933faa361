//! What the scheduler shows: an immutable picture, swapped as a whole.

use super::Dependencies;
use crate::build_runner::{Build, BuildLog, BuildResult, Why};
use builder::Phase;
use imbl::OrdMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Results kept per stream.
pub const HISTORY_RESULTS: usize = 50;

/// The state at one moment. Logs, phases and states of builds are read through their [`Build`] and are newer than it.
#[derive(Clone, Default)]
pub struct Snapshot {
    /// Builds that run, in the order they began.
    pub running: Vec<Arc<Build>>,
    /// Builds that were told to end and have not, or whose runner failed: reported as failed, their places not free yet.
    pub stuck: Vec<Arc<Build>>,
    /// Builds that wait, in the order of their turns.
    pub queued: Vec<QueuedBuild>,
    /// Builds that may run at a time.
    pub places: usize,
    /// Last result of each stream.
    pub results: OrdMap<String, LastResult>,
    /// The last [`HISTORY_RESULTS`] results of each stream, oldest first.
    pub histories: OrdMap<String, Arc<Vec<HistoryEntry>>>,
    /// The automatic rebuilds.
    pub auto: AutoStatus,
    /// Build requests are refused until then.
    pub requests_disabled_until: Option<SystemTime>,
    /// Bootstrap streams, sorted.
    pub bootstrap_streams: Arc<Vec<String>>,
    /// User streams, sorted; patterns are not among them.
    pub user_streams: Arc<Vec<String>>,
    /// Which stream is built on which.
    pub dependencies: Arc<Dependencies>,
    /// Counts since the start of the daemon.
    pub counts: Counts,
}

/// A build that waits.
#[derive(Clone)]
pub struct QueuedBuild {
    /// The build.
    pub build: Arc<Build>,
    /// Its turn, from 1, if nothing else is asked for.
    pub position: usize,
    /// What it waits for.
    pub waits_for: WaitsFor,
}

/// What a build waits for: a free place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitsFor {
    /// Places there are, all taken.
    pub places: usize,
    /// Of these, taken by builds that do not end.
    pub stuck: usize,
    /// Builds that have their turn before.
    pub before: usize,
}

impl std::fmt::Display for WaitsFor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.places {
            1 => formatter.write_str("the only place is taken")?,
            places => write!(formatter, "all {places} places are taken")?,
        }
        if self.stuck > 0 {
            write!(formatter, ", {} by builds that do not end", self.stuck)?;
        }
        match self.before {
            0 => formatter.write_str("; it is next"),
            1 => formatter.write_str("; one build is before it"),
            before => write!(formatter, "; {before} builds are before it"),
        }
    }
}

/// The last result of a stream.
#[derive(Clone)]
pub struct LastResult {
    /// What came of it.
    pub result: Arc<BuildResult>,
    /// Its whole log.
    pub log: Arc<BuildLog>,
    /// Name of the image, or the name the log has in the archive; empty if it has neither.
    pub name: String,
}

/// A result in the strip of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// Number of the build; 0 if it is of an earlier life of the daemon.
    pub number: u64,
    /// Name of the image, or the name the log has in the archive.
    pub name: String,
    /// When the build began.
    pub started_at: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// What was wrong, if anything was.
    pub error: Option<String>,
    /// Somebody ended it.
    pub is_cancelled: bool,
    /// It was not made as automatic rebuilds make it: from another branch, with variables, or only handed back.
    pub is_unusual: bool,
    /// Why it ran.
    pub why: Why,
    /// Who asked; empty for automatic builds.
    pub requester: String,
    /// How long each phase of this stream took.
    pub phases: Vec<(Phase, Duration)>,
}

/// The automatic rebuilds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AutoStatus {
    /// From the start of a cycle to the start of the next; `None` if they run only when somebody starts them.
    pub interval: Option<Duration>,
    /// When the next cycle begins by itself.
    pub next_at: Option<SystemTime>,
    /// They build nothing until then; images are only extended.
    pub disabled_until: Option<SystemTime>,
    /// The cycle that is running.
    pub cycle: Option<CycleStatus>,
    /// The last one that has ended.
    pub last_cycle: Option<CycleStatus>,
    /// Streams that are rebuilt, in order.
    pub streams: Arc<Vec<String>>,
    /// Streams that failed so often that they pause.
    pub backing_off: BTreeMap<String, BackingOff>,
}

/// A stream that pauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackingOff {
    /// Automatic builds that failed, one after the other.
    pub failures: u32,
    /// It is not built automatically before.
    pub until: SystemTime,
}

/// One round of automatic rebuilds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleStatus {
    /// Counts from 1 since the process began.
    pub number: u64,
    /// Who started it; `None` if it was time.
    pub started_by: Option<String>,
    /// When it began.
    pub started_at: SystemTime,
    /// When it ended.
    pub finished_at: Option<SystemTime>,
    /// Why nothing was built any more but only extended, if that is so.
    pub extends_only: Option<String>,
    /// What became of each stream.
    pub streams: BTreeMap<String, CycleState>,
}

/// What became of a stream in a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CycleState {
    /// Waits for these, which are before it.
    Waiting {
        /// Streams.
        on: Vec<String>,
    },
    /// It was built, and the image server was away: it is built again once that is there.
    ServerAway {
        /// How the build ended.
        reason: String,
    },
    /// In the queue, or running.
    Building {
        /// Number of the build.
        number: u64,
    },
    /// It is not built, for this reason: its newest image is being extended, which waits for the image server.
    Extending {
        /// Why.
        reason: String,
    },
    /// Built.
    Built,
    /// Its newest image was extended instead, for this reason.
    Extended {
        /// Why.
        reason: String,
    },
    /// Neither built nor extended.
    Failed {
        /// Why.
        error: String,
    },
}

/// How long a stream's builds take, as the median of those that went well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsualTimes {
    /// The whole build.
    pub whole: Duration,
    /// Each phase.
    pub phases: BTreeMap<Phase, Duration>,
}

/// Counts since the start of the daemon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Builds that were begun.
    pub started: u64,
    /// Builds that went well.
    pub succeeded: u64,
    /// Builds that failed.
    pub failed: u64,
    /// Builds that were cancelled.
    pub cancelled: u64,
    /// Requests that joined a build.
    pub joined: u64,
    /// Requests that were refused.
    pub refused: u64,
}

impl Snapshot {
    /// How long builds of this stream usually take; `None` if none went well yet.
    pub fn usual(&self, stream: &str) -> Option<UsualTimes> {
        usual(self.histories.get(stream)?)
    }

    /// A build that waits, runs, or does not end, by its number.
    pub fn build(&self, number: u64) -> Option<&Arc<Build>> {
        let queued = self.queued.iter().map(|queued| &queued.build);
        let mut all = self.running.iter().chain(&self.stuck).chain(queued);
        all.find(|build| build.number == number)
    }

    /// The build of a stream that is running; the newest of several.
    pub fn running(&self, stream: &str) -> Option<&Arc<Build>> {
        self.running.iter().rev().find(|build| build.stream() == stream)
    }

    /// A build in which a stream is being built as the source of another.
    pub fn building_source(&self, stream: &str) -> Option<&Arc<Build>> {
        self.running.iter().rev().find(|build| build.is_building(stream))
    }

    /// Number of bootstrap and user streams.
    pub fn stream_count(&self) -> usize {
        self.bootstrap_streams.len() + self.user_streams.len()
    }
}

fn usual(history: &[HistoryEntry]) -> Option<UsualTimes> {
    let good = || history.iter().filter(|entry| entry.error.is_none());
    let whole = median(good().map(|entry| entry.duration).collect())?;
    let mut times: BTreeMap<Phase, Vec<Duration>> = BTreeMap::new();
    for (phase, duration) in good().flat_map(|entry| &entry.phases) {
        times.entry(*phase).or_default().push(*duration);
    }
    let phases = times
        .into_iter()
        .filter_map(|(phase, durations)| Some((phase, median(durations)?)))
        .collect();
    Some(UsualTimes { whole, phases })
}

fn median(mut durations: Vec<Duration>) -> Option<Duration> {
    durations.sort_unstable();
    durations.get(durations.len().checked_sub(1)? / 2).copied()
}
