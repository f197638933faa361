//! Automatic rebuilds (`imaginator.md §15`): cycles, in which each stream is built once, or its image is extended.
//!
//! This is the state, which outlives the actor; [`run`] is what carries it out. A stream is begun when those before it have been
//! built, or have failed: who depends on a stream that failed is built on what there is of it.
//!
//! A cycle begins when it is time, also if builds of the one before have not ended. These go on, and are late: their streams are
//! extended meanwhile, once a cycle, and nobody waits for them. So one build that hangs costs its own stream and no other.

mod clock;
mod known;
pub(super) mod plan;
pub(super) mod run;
mod steps;

use super::snapshot::{AutoStatus, BackingOff, CycleState, CycleStatus};
use crate::build_runner::BuildResult;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Life time of images when there is no interval.
const NO_TIMER_EXPIRES_IN: Duration = Duration::from_secs(3600);

/// From the end of a cycle to the next at least.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// A stream that fails again and again is tried every so many cycles at least.
const BACKOFF_CYCLES: u32 = 8;

/// A stream is built so many times again in a cycle because the image server was away when its build needed it.
const AWAY_BUILDS: u32 = 2;

/// Which cycle is running, and which has ended last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CycleTurns {
    pub(super) running: Option<u64>,
    pub(super) ended: u64,
}

/// The automatic rebuilds.
#[derive(Default)]
pub(super) struct Cycles {
    pub(super) next_at: Option<SystemTime>,
    pub(super) disabled_until: Option<SystemTime>,
    /// Streams that are rebuilt, for those who want to know.
    pub(super) streams: Arc<Vec<String>>,
    cycle: Option<Cycle>,
    last: Option<CycleStatus>,
    count: u64,
    failures: BTreeMap<String, BackingOff>,
    /// Builds that had not ended when the next cycle began; one of a stream at most.
    late: BTreeMap<u64, Late>,
    /// User streams and their sources, as far as they could be read: of the rest what was known before.
    sources: BTreeMap<String, String>,
    /// When the newest image of a stream was made that automatic rebuilds would have made as well.
    good: BTreeMap<String, SystemTime>,
    last_look: Option<SystemTime>,
}

struct Late {
    stream: String,
    /// When its cycle began.
    started_at: SystemTime,
}

struct Cycle {
    number: u64,
    started_by: Option<String>,
    started_at: SystemTime,
    /// Life time of the images.
    expires_in: Duration,
    extends_only: Option<String>,
    /// Streams of which the image server has no image.
    never_built: BTreeSet<String>,
    /// Nothing while it is not known yet what there is to do.
    entries: Option<Vec<Entry>>,
}

struct Entry {
    stream: String,
    /// These come before.
    after: Vec<String>,
    step: Step,
    /// How often its build ended because the image server was away.
    times_away: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Waiting,
    Building(u64),
    /// The image server was away, so that the build ended with that. It begins again when there is a server.
    ServerAway(String),
    Extending(String),
    Built,
    Extended(String),
    Failed(String),
}

impl Step {
    /// Those that come after may begin.
    fn lets_go_on(&self) -> bool {
        !matches!(self, Step::Waiting | Step::Building(_) | Step::ServerAway(_))
    }

    fn is_over(&self) -> bool {
        matches!(self, Step::Built | Step::Extended(_) | Step::Failed(_))
    }
}

impl Cycles {
    /// Begins a cycle; its number. While one is running only time begins another, which takes its place.
    pub(super) fn begin(
        &mut self,
        started_by: Option<String>,
        interval: Duration,
        now: SystemTime,
    ) -> Option<u64> {
        let has_timer = !interval.is_zero();
        let next_at = now.checked_add(interval).filter(|_| has_timer);
        if let Some(cycle) = &self.cycle {
            if started_by.is_some() {
                return None;
            }
            if cycle.entries.is_none() {
                // It has done nothing yet, and is as good as the next.
                self.next_at = next_at;
                return None;
            }
            self.leave_behind(now);
        }
        self.count += 1;
        self.next_at = next_at;
        self.cycle = Some(Cycle {
            number: self.count,
            started_by,
            started_at: now,
            expires_in: if has_timer {
                interval.saturating_mul(2)
            } else {
                NO_TIMER_EXPIRES_IN
            },
            extends_only: None,
            never_built: BTreeSet::new(),
            entries: None,
        });
        Some(self.count)
    }

    /// The next cycle begins, whatever of this one has not ended.
    fn leave_behind(&mut self, now: SystemTime) {
        let Some(cycle) = self.cycle.take() else { return };
        for entry in cycle.entries.iter().flatten() {
            if let Step::Building(number) = entry.step {
                let late = Late {
                    stream: entry.stream.clone(),
                    started_at: cycle.started_at,
                };
                self.late.insert(number, late);
            }
        }
        let mut status = cycle.status();
        status.finished_at = Some(now);
        self.last = Some(status);
    }

    /// Ends the cycle, if there is nothing left to do in it; its number.
    pub(super) fn end_if_over(&mut self, now: SystemTime) -> Option<u64> {
        let entries = self.cycle.as_ref()?.entries.as_ref()?;
        if !entries.iter().all(|entry| entry.step.is_over()) {
            return None;
        }
        let cycle = self.cycle.take()?;
        let earliest = now.checked_add(SHORTEST_PAUSE);
        self.next_at = self.next_at.max(self.next_at.and(earliest));
        let mut status = cycle.status();
        status.finished_at = Some(now);
        self.last = Some(status);
        Some(cycle.number)
    }

    /// Builds of cycles that have not ended.
    pub(super) fn building(&self) -> Vec<u64> {
        let entries = self.cycle.iter().flat_map(|cycle| cycle.entries.iter().flatten());
        let number = |entry: &Entry| match entry.step {
            Step::Building(number) => Some(number),
            _ => None,
        };
        entries
            .filter_map(number)
            .chain(self.late.keys().copied())
            .collect()
    }

    /// A build has ended, whoever asked for it.
    pub(super) fn ended(&mut self, result: &BuildResult, interval: Duration) {
        let late = self.late.remove(&result.number).map(|late| late.started_at);
        let started_at = late.or_else(|| self.cycle.as_mut()?.ended(result));
        if let (Some(started_at), Err(failure)) = (started_at, &result.outcome)
            && !failure.is_cancelled
            && !failure.is_server_away
        {
            self.back_off(&result.stream, started_at, interval);
        }
    }

    /// After the first failure the next cycle tries again, after the second one is left out, then three, then seven: half an
    /// interval less than a power of two, since cycles are not punctual.
    fn back_off(&mut self, stream: &str, started_at: SystemTime, interval: Duration) {
        let failures = self.failures.get(stream).map_or(0, |known| known.failures) + 1;
        let cycles = 1_u32
            .checked_shl(failures - 1)
            .map_or(BACKOFF_CYCLES, |cycles| cycles.min(BACKOFF_CYCLES));
        let pause = interval.saturating_mul(cycles).saturating_sub(interval / 2);
        let until = started_at.checked_add(pause).unwrap_or(started_at);
        self.failures
            .insert(stream.to_owned(), BackingOff { failures, until });
    }

    /// What is shown.
    pub(super) fn status(&self, interval: Duration, now: SystemTime) -> AutoStatus {
        let pauses = self.failures.iter().filter(|(_, known)| known.until > now);
        AutoStatus {
            interval: (!interval.is_zero()).then_some(interval),
            next_at: self.next_at,
            disabled_until: self.disabled_until,
            cycle: self.cycle.as_ref().map(Cycle::status),
            last_cycle: self.last.clone(),
            streams: self.streams.clone(),
            backing_off: pauses
                .map(|(stream, known)| (stream.clone(), known.clone()))
                .collect(),
        }
    }
}

impl Cycle {
    /// If the build is one of its own: when the cycle began.
    fn ended(&mut self, result: &BuildResult) -> Option<SystemTime> {
        let mut entries = self.entries.iter_mut().flatten();
        let entry = entries.find(|entry| entry.step == Step::Building(result.number))?;
        entry.step = match &result.outcome {
            Ok(_) => Step::Built,
            Err(failure) if failure.is_server_away && entry.times_away < AWAY_BUILDS => {
                entry.times_away += 1;
                Step::ServerAway(failure.text.clone())
            }
            Err(failure) => Step::Extending(failure.text.clone()),
        };
        Some(self.started_at)
    }

    fn step_of(&self, stream: &str) -> Option<&Step> {
        let mut entries = self.entries.iter().flatten();
        entries
            .find(|entry| entry.stream == stream)
            .map(|entry| &entry.step)
    }

    /// What an entry still waits for.
    fn waits_on(&self, entry: &Entry) -> Vec<String> {
        let is_before = |stream: &&String| !self.step_of(stream).is_none_or(Step::lets_go_on);
        entry.after.iter().filter(is_before).cloned().collect()
    }

    fn status(&self) -> CycleStatus {
        let state = |entry: &Entry| match &entry.step {
            Step::Waiting => CycleState::Waiting {
                on: self.waits_on(entry),
            },
            Step::Building(number) => CycleState::Building { number: *number },
            Step::ServerAway(reason) => CycleState::ServerAway {
                reason: reason.clone(),
            },
            Step::Extending(reason) => CycleState::Extending {
                reason: reason.clone(),
            },
            Step::Built => CycleState::Built,
            Step::Extended(reason) => CycleState::Extended {
                reason: reason.clone(),
            },
            Step::Failed(error) => CycleState::Failed { error: error.clone() },
        };
        let entries = self.entries.iter().flatten();
        CycleStatus {
            number: self.number,
            started_by: self.started_by.clone(),
            started_at: self.started_at,
            finished_at: None,
            extends_only: self.extends_only.clone(),
            streams: entries
                .map(|entry| (entry.stream.clone(), state(entry)))
                .collect(),
        }
    }
}
