//! The image server's own figures: under the original's paths (`imageserver.md §10.1`), and by name for Prometheus.
//!
//! Values that are known at any moment are registered as closures and cost nothing until somebody asks; the gauges of the
//! `metrics` facade have to be set, which [`publish`] does now and then.

use std::time::Duration;

use crate::state::Shared;
use actors::image_index::EntryState;
use front::metrics::{Metrics, Unit};

/// Time between two updates of the gauges.
pub(crate) const PUBLISH_INTERVAL: Duration = Duration::from_secs(5);

/// Registers the paths that existing dashboards read.
pub(crate) fn register(metrics: &Metrics, shared: &Shared) {
    for health in [shared.images.health(), shared.objects.health()] {
        // There before the first restart, so that an alert on its growth sees the first one too.
        metrics::counter!("actor_restarts_total", "actor" => health.actor).increment(0);
    }
    let state = || Shared::clone(shared);
    let images = state();
    metrics.register("/image-count", "number of images", Unit::None, move || {
        images.images.snapshot().images.len() as u64
    });
    let slots = state();
    metrics.register(
        "/get-requests",
        "GetObjects calls in progress",
        Unit::None,
        move || slots.get_objects_running() as u64,
    );
    let objects = state();
    metrics.register(
        "/objectserver/referenced-object-bytes",
        "bytes of objects that images need",
        Unit::Bytes,
        move || objects.objects.statistics().referenced_bytes,
    );
    let objects = state();
    metrics.register(
        "/objectserver/unreferenced-object-bytes",
        "bytes of objects that no image needs",
        Unit::Bytes,
        move || objects.objects.statistics().unreferenced_bytes,
    );
    let objects = state();
    metrics.register(
        "/objectserver/referenced-utilisation-percent",
        "share of the file system taken by objects that images need",
        Unit::None,
        move || {
            let figures = objects.objects.statistics();
            percent(figures.referenced_bytes, figures.space.capacity_bytes)
        },
    );
    let objects = state();
    metrics.register(
        "/objectserver/unreferenced-utilisation-percent",
        "share of the file system taken by objects that no image needs",
        Unit::None,
        move || {
            let figures = objects.objects.statistics();
            percent(figures.unreferenced_bytes, figures.space.capacity_bytes)
        },
    );
}

/// Sets the gauges for Prometheus.
pub(crate) fn publish(shared: &Shared) {
    let snapshot = shared.images.snapshot();
    let quarantined = snapshot
        .images
        .values()
        .filter(|entry| entry.state != EntryState::Present)
        .count();
    metrics::gauge!("imageserver_images").set(snapshot.images.len() as f64);
    metrics::gauge!("imageserver_directories").set(snapshot.directories.len() as f64);
    metrics::gauge!("imageserver_quarantined_images").set(quarantined as f64);
    let figures = shared.objects.statistics();
    metrics::gauge!("imageserver_objects").set(figures.objects as f64);
    for (state, bytes) in [
        ("referenced", figures.referenced_bytes),
        ("unreferenced", figures.unreferenced_bytes),
    ] {
        metrics::gauge!("imageserver_object_bytes", "state" => state).set(bytes as f64);
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}
