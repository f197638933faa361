//! Automatic rebuilds (`imaginator.md §15`): cycles, in which each stream is built once, or its image is extended.
//!
//! This is the state, which outlives the actor; [`run`] is what carries it out. A stream is begun when those before it have been
//! built, or have failed: who depends on a stream that failed is built on what there is of it.

pub(super) mod plan;
pub(super) mod run;
mod steps;

use super::snapshot::{AutoStatus, BackingOff, CycleState, CycleStatus};
use crate::build_runner::BuildResult;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Life time of images when there is no interval.
const NO_TIMER_EXPIRES_IN: Duration = Duration::from_secs(3600);

/// From the end of a cycle to the next at least.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// A stream that fails again and again is tried every so many cycles at least.
const BACKOFF_CYCLES: u32 = 8;

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
}

struct Cycle {
    number: u64,
    started_by: Option<String>,
    started_at: SystemTime,
    /// Life time of the images.
    expires_in: Duration,
    extends_only: Option<String>,
    /// Nothing while it is not known yet what there is to do.
    entries: Option<Vec<Entry>>,
}

struct Entry {
    stream: String,
    /// These come before.
    after: Vec<String>,
    step: Step,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Waiting,
    Building(u64),
    Extending(String),
    Built,
    Extended(String),
    Failed(String),
}

impl Step {
    /// Those that come after may begin.
    fn lets_go_on(&self) -> bool {
        !matches!(self, Step::Waiting | Step::Building(_))
    }

    fn is_over(&self) -> bool {
        matches!(self, Step::Built | Step::Extended(_) | Step::Failed(_))
    }
}

impl Cycles {
    /// Begins a cycle, unless one is running; its number.
    pub(super) fn begin(
        &mut self,
        started_by: Option<String>,
        interval: Duration,
        now: SystemTime,
    ) -> Option<u64> {
        if self.cycle.is_some() {
            return None;
        }
        self.count += 1;
        let has_timer = !interval.is_zero();
        self.next_at = now.checked_add(interval).filter(|_| has_timer);
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
            entries: None,
        });
        Some(self.count)
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

    /// Builds of the cycle that have not ended.
    pub(super) fn building(&self) -> Vec<u64> {
        let entries = self.cycle.iter().flat_map(|cycle| cycle.entries.iter().flatten());
        let number = |entry: &Entry| match entry.step {
            Step::Building(number) => Some(number),
            _ => None,
        };
        entries.filter_map(number).collect()
    }

    /// A build has ended, whoever asked for it.
    pub(super) fn ended(&mut self, result: &BuildResult, interval: Duration) {
        if result.outcome.is_ok() {
            self.failures.remove(&result.stream);
        }
        let Some(cycle) = &mut self.cycle else { return };
        let started_at = cycle.started_at;
        let mut entries = cycle.entries.iter_mut().flatten();
        let is_its = |entry: &&mut Entry| entry.step == Step::Building(result.number);
        let Some(entry) = entries.find(is_its) else { return };
        let failure = match &result.outcome {
            Ok(_) => {
                entry.step = Step::Built;
                return;
            }
            Err(failure) => failure,
        };
        entry.step = Step::Extending(failure.text.clone());
        if !failure.is_cancelled {
            self.back_off(&result.stream, started_at, interval);
        }
    }

    /// A stream was built as the source of another.
    pub(super) fn built_otherwise(&mut self, result: &BuildResult) {
        if result.outcome.is_ok() {
            self.failures.remove(&result.stream);
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
