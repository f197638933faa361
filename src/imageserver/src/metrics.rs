//! The image server's own figures: under the original's paths (`imageserver.md §10.1`).
//!
//! Values are registered as closures and cost nothing until somebody asks; the gauges for Prometheus are set by the actors,
//! where the figures change.

use crate::state::Shared;
use front::metrics::{Metrics, Unit};

/// Registers the paths that existing dashboards read.
pub(crate) fn register(metrics: &Metrics, shared: &Shared) {
    for health in shared.healths() {
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

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}
