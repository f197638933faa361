//! What is kept of a build that has ended.

use super::logs::{self, LOGS_KEPT_BYTES, LOGS_KEPT_FILES};
use super::shared::{Shared, State};
use super::snapshot::{HISTORY_RESULTS, HistoryEntry, LastResult};
use crate::build_runner::{Build, BuildLog, BuildResult, Why};
use crate::log_archive::{ArchiveJob, ArchivedBuild};
use imbl::OrdMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

/// Streams whose results are kept; pattern streams have no end. The one that was built longest ago goes first.
const RESULTS_KEPT: usize = 10_000;

impl Shared {
    /// Keeps the result of a build, counts it, and lets the cycle go on that waits for it. With `is_free` its place is free.
    pub(super) fn take_result(&self, build: &Arc<Build>, result: Arc<BuildResult>, is_free: bool) {
        let log = build.log().clone();
        let length = log.state().bytes;
        let phases = match result.started_at {
            Some(started) => build.phases_of(build.stream(), started, result.finished_at),
            None => Vec::new(),
        };
        let has_begun = result.started_at.is_some();
        count(&result);
        self.change(|state| {
            let number = build.number;
            state.tickets.remove(&number);
            if is_free {
                state.free(number);
            }
            for place in &mut state.places {
                place.is_stuck |= place.build.number == number;
            }
            let counts = &mut state.counts;
            match &result.outcome {
                Ok(_) => counts.succeeded += 1,
                Err(failure) if failure.is_cancelled => counts.cancelled += 1,
                Err(_) => counts.failed += 1,
            }
            state.note_success(&result);
            state.cycles.ended(&result, self.config.rebuild_interval);
            if has_begun {
                self.keep(state, &result, log, 0..length, phases);
            }
        });
        let (stream, number) = (build.stream(), build.number);
        match &result.outcome {
            Ok(image) => tracing::info!("Build {number} of {stream}: made {}", image.name),
            Err(failure) => tracing::warn!("Build {number} of {stream}: {}", failure.text),
        }
        self.wake.notify_one();
        self.cycle_wake.notify_one();
    }

    /// The result of a source that was built within another build.
    pub(super) fn take_source(&self, build: &Arc<Build>, result: BuildResult, range: Range<u64>) {
        let result = Arc::new(result);
        count(&result);
        let started = result.started_at.unwrap_or(result.finished_at);
        let phases = build.phases_of(&result.stream, started, result.finished_at);
        self.change(|state| {
            match &result.outcome {
                Ok(_) => state.counts.succeeded += 1,
                Err(failure) if failure.is_cancelled => state.counts.cancelled += 1,
                Err(_) => state.counts.failed += 1,
            }
            state.counts.started += 1;
            state.note_success(&result);
            self.keep(state, &result, build.log().clone(), range, phases);
        });
        metrics::counter!("imaginator_builds_started_total").increment(1);
    }

    fn keep(
        &self,
        state: &mut State,
        result: &Arc<BuildResult>,
        log: Arc<BuildLog>,
        range: Range<u64>,
        phases: Vec<(builder::Phase, std::time::Duration)>,
    ) {
        let image = result
            .outcome
            .as_ref()
            .map(|image| image.name.as_str())
            .unwrap_or_default();
        let archived = ArchivedBuild {
            name: image.to_owned(),
            stream: result.stream.clone(),
            finished_at: result.finished_at,
            duration: result.duration(),
            error: result.error().unwrap_or_default().to_owned(),
            requester: result.requester.clone(),
            log_bytes: range.end - range.start,
            number: result.number,
            why: result.why.to_string(),
            is_cancelled: result.outcome.as_ref().is_err_and(|failure| failure.is_cancelled),
            is_unusual: !result.is_usual,
            phases: phases.clone(),
        };
        let is_cancelled = archived.is_cancelled;
        let name = match &self.archive {
            // It chooses a name if there is no image.
            Some(archive) => archive.shared.submit(ArchiveJob {
                build: archived,
                log: log.clone(),
                range,
            }),
            None => archived.name,
        };
        let entry = HistoryEntry {
            number: result.number,
            name: name.clone(),
            started_at: result.started_at.unwrap_or(result.finished_at),
            duration: result.duration(),
            error: result.error().map(str::to_owned),
            is_cancelled,
            is_unusual: !result.is_usual,
            why: result.why.clone(),
            requester: result.requester.clone(),
            phases,
        };
        let history = state.histories.entry(result.stream.clone()).or_default();
        let history = Arc::make_mut(history);
        history.push(entry);
        let surplus = history.len().saturating_sub(HISTORY_RESULTS);
        history.drain(..surplus);
        let last = LastResult {
            result: result.clone(),
            log,
            name,
        };
        state.results.insert(result.stream.clone(), last);
        state.forget_oldest();
        logs::forget_oldest(&mut state.results, LOGS_KEPT_BYTES, LOGS_KEPT_FILES);
    }

    /// What the archive knows of earlier builds.
    pub(super) fn archived_histories(&self) -> OrdMap<String, Arc<Vec<HistoryEntry>>> {
        let Some(archive) = &self.archive else {
            return OrdMap::new();
        };
        let listing = archive.listing();
        let entries = |builds: &Vec<Arc<ArchivedBuild>>| {
            let surplus = builds.len().saturating_sub(HISTORY_RESULTS);
            builds[surplus..]
                .iter()
                .map(|build| of_archive(build))
                .collect::<Vec<_>>()
        };
        let streams = listing.by_stream.iter();
        streams
            .map(|(stream, builds)| (stream.clone(), Arc::new(entries(builds))))
            .collect()
    }
}

impl State {
    fn forget_oldest(&mut self) {
        if self.results.len() > RESULTS_KEPT {
            let oldest = self
                .results
                .iter()
                .min_by_key(|(_, last)| last.result.finished_at);
            if let Some(stream) = oldest.map(|(stream, _)| stream.clone()) {
                self.results.remove(&stream);
                self.histories.remove(&stream);
                self.cycles.forget(&stream);
            }
        }
    }

    /// An image from another branch, with variables, or that was only handed back, says nothing of the next automatic build.
    fn note_success(&mut self, result: &BuildResult) {
        if result.is_usual && result.outcome.is_ok() {
            self.cycles.went_well(&result.stream, result.finished_at);
        }
    }

    /// When the newest image of a stream was made that automatic rebuilds would have made as well, as far as is known here. What another
    /// program archived does not tell the one from the other, and counts.
    pub(super) fn last_good(&self, stream: &str) -> Option<SystemTime> {
        self.cycles.last_good(stream).or_else(|| {
            let history = self.histories.get(stream)?;
            let is_archived =
                |entry: &&HistoryEntry| matches!(entry.why, Why::Archived(_)) && !entry.is_unusual;
            let mut good = history.iter().rev().filter(|entry| entry.error.is_none());
            let good = good.find(is_archived)?;
            good.started_at.checked_add(good.duration)
        })
    }
}

fn of_archive(build: &ArchivedBuild) -> HistoryEntry {
    HistoryEntry {
        // Of another life of the daemon, whose numbers mean nothing now.
        number: 0,
        name: build.name.clone(),
        started_at: build
            .finished_at
            .checked_sub(build.duration)
            .unwrap_or(build.finished_at),
        duration: build.duration,
        error: (!build.is_good()).then(|| build.error.clone()),
        is_cancelled: build.is_cancelled,
        is_unusual: build.is_unusual,
        why: Why::Archived(build.why.clone()),
        requester: build.requester.clone(),
        phases: build.phases.clone(),
    }
}

fn count(result: &BuildResult) {
    let outcome = match &result.outcome {
        Ok(_) => "succeeded",
        Err(failure) if failure.is_cancelled => "cancelled",
        Err(_) => "failed",
    };
    metrics::counter!("imaginator_builds_total", "outcome" => outcome).increment(1);
    if result.started_at.is_some() {
        let seconds = result.duration().as_secs_f64();
        metrics::histogram!("imaginator_build_duration_seconds", "outcome" => outcome).record(seconds);
    }
}
