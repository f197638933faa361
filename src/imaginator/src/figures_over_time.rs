//! Which figures are kept over time for `/dashboards`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::state::Shared;
use actors::stream_scheduler::{Counts, Snapshot};
use front::history::{History, Measure};
use front::metrics::{Metrics, Value};
use srpc::Server;

/// The charts.
pub(crate) fn history(shared: &Shared, server: &Arc<Server>, metrics: &Arc<Metrics>) -> Arc<History> {
    let mut history = of_builds(History::new(), shared);
    // The server lives as long as the process; the site, which holds this, must not hold it in turn.
    let server = Arc::downgrade(server);
    history = history.chart("Calls", Measure::Count).curve("running", move || {
        Some(server.upgrade()?.statistics().running_methods as f64)
    });
    if let Some(archive) = shared.archive.clone() {
        history = history
            .chart("Archived build logs", Measure::Bytes)
            .curve("bytes", move || Some(archive.listing().bytes as f64));
    }
    Arc::new(of_process(history, metrics))
}

fn of_builds(history: History, shared: &Shared) -> History {
    let figure = |of: fn(&Snapshot) -> f64| {
        let scheduler = shared.scheduler.clone();
        move || Some(of(&scheduler.snapshot()))
    };
    let count = |of: fn(&Counts) -> u64| {
        let scheduler = shared.scheduler.clone();
        move || Some(of(&scheduler.snapshot().counts) as f64)
    };
    let durations = shared.scheduler.clone();
    history
        .chart("Builds", Measure::Count)
        .curve("running", figure(|snapshot| snapshot.running.len() as f64))
        .curve("waiting", figure(|snapshot| snapshot.queued.len() as f64))
        .chart("Longest wait in the queue, seconds", Measure::Count)
        .curve("of what waits now", figure(longest_wait))
        .chart("Duration of the last build, seconds", Measure::Count)
        .curve("of the one that ended last", move || {
            last_duration(&durations.snapshot())
        })
        .chart("Streams", Measure::Count)
        .curve(
            "whose last build failed",
            figure(|snapshot| failed(snapshot) as f64),
        )
        .curve(
            "that pause after failures",
            figure(|snapshot| snapshot.auto.backing_off.len() as f64),
        )
        .chart("Builds since the start", Measure::Count)
        .curve("well", count(|counts| counts.succeeded))
        .curve("failed", count(|counts| counts.failed))
        .curve("cancelled", count(|counts| counts.cancelled))
}

/// Seconds that what waits longest has waited.
pub(crate) fn longest_wait(snapshot: &Snapshot) -> f64 {
    let now = SystemTime::now();
    let waits = snapshot
        .queued
        .iter()
        .map(|queued| now.duration_since(queued.build.queued_at).unwrap_or_default());
    waits.max().unwrap_or(Duration::ZERO).as_secs_f64()
}

/// Streams whose last build failed.
pub(crate) fn failed(snapshot: &Snapshot) -> usize {
    let results = snapshot.results.values();
    results.filter(|last| last.result.outcome.is_err()).count()
}

/// Seconds the build took that ended last; nothing before the first.
fn last_duration(snapshot: &Snapshot) -> Option<f64> {
    let last = snapshot
        .results
        .values()
        .max_by_key(|last| last.result.finished_at)?;
    Some(last.result.duration().as_secs_f64())
}

fn of_process(history: History, metrics: &Arc<Metrics>) -> History {
    let seconds = |path: &'static str| {
        let metrics = Arc::clone(metrics);
        move || match metrics.sample(path)?.value {
            Value::Duration(duration) => Some(duration.as_secs_f64()),
            _ => None,
        }
    };
    let memory = Arc::clone(metrics);
    history
        .chart("Processor", Measure::PercentOfTime)
        .curve("user", seconds("/proc/cpu/user"))
        .curve("system", seconds("/proc/cpu/sys"))
        .chart("Memory", Measure::Bytes)
        .curve("resident", move || {
            match memory.sample("/proc/memory/total")?.value {
                Value::Unsigned(bytes) => Some(bytes as f64),
                _ => None,
            }
        })
}
