//! The image builder's own figures, as values that are read when somebody asks. The original has none (`imaginator-web.md §7`). The
//! counters for Prometheus are set by the actors, where the figures change.

use std::time::Duration;

use crate::figures_over_time::{failed, longest_wait};
use crate::state::Shared;
use actors::stream_scheduler::Snapshot;
use front::metrics::{Metrics, Unit};

/// Path below `/builder`, description, and what is read.
type Figure = (&'static str, &'static str, fn(&Snapshot) -> u64);

/// Registers them below `/builder`.
pub(crate) fn register(metrics: &Metrics, shared: &Shared) {
    let figures: [Figure; 11] = [
        ("streams", "bootstrap and user streams", |snapshot| {
            snapshot.stream_count() as u64
        }),
        ("running-builds", "builds that run", |snapshot| {
            snapshot.running.len() as u64
        }),
        (
            "stuck-builds",
            "builds that were told to end and have not",
            |snapshot| snapshot.stuck.len() as u64,
        ),
        ("queued-builds", "builds that wait", |snapshot| {
            snapshot.queued.len() as u64
        }),
        ("places", "builds that may run at a time", |snapshot| {
            snapshot.places as u64
        }),
        ("failed-streams", "streams whose last build failed", |snapshot| {
            failed(snapshot) as u64
        }),
        ("num-started", "builds that were begun", |snapshot| {
            snapshot.counts.started
        }),
        ("num-good", "builds that went well", |snapshot| {
            snapshot.counts.succeeded
        }),
        ("num-bad", "builds that failed", |snapshot| snapshot.counts.failed),
        ("num-cancelled", "builds that were cancelled", |snapshot| {
            snapshot.counts.cancelled
        }),
        ("num-refused", "requests that were refused", |snapshot| {
            snapshot.counts.refused
        }),
    ];
    for (name, description, figure) in figures {
        let scheduler = shared.scheduler.clone();
        metrics.register(format!("/builder/{name}"), description, Unit::None, move || {
            figure(&scheduler.snapshot())
        });
    }
    let scheduler = shared.scheduler.clone();
    metrics.register(
        "/builder/longest-wait",
        "of the builds that wait",
        Unit::Seconds,
        move || Duration::from_secs_f64(longest_wait(&scheduler.snapshot())),
    );
    let workshop = shared.workshop.clone();
    metrics.register(
        "/builder/cached-object-bytes",
        "objects kept for unpacking source images",
        Unit::Bytes,
        move || workshop.figures().cached_bytes,
    );
    if let Some(archive) = shared.archive.clone() {
        metrics.register(
            "/builder/archived-log-bytes",
            "build logs in the archive",
            Unit::Bytes,
            move || archive.listing().bytes,
        );
    }
}
