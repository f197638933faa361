//! From what there is to what is shown.

use super::shared::{Shared, State};
use super::snapshot::{QueuedBuild, Snapshot, WaitsFor};
use crate::build_runner::Build;
use std::sync::Arc;

pub(super) fn snapshot(shared: &Shared, state: &State) -> Snapshot {
    let builds = |is_stuck: bool| -> Vec<Arc<Build>> {
        let places = state.places.iter().filter(|place| place.is_stuck == is_stuck);
        places.map(|place| place.build.clone()).collect()
    };
    let (running, stuck) = (builds(false), builds(true));
    Snapshot {
        queued: queued(shared, state, stuck.len()),
        running,
        stuck,
        places: shared.config.places,
        results: state.results.clone(),
        histories: state.histories.clone(),
        auto: state.cycles.status(shared.config.rebuild_interval, shared.now()),
        requests_disabled_until: state.requests_disabled_until,
        bootstrap_streams: state.bootstrap_streams.clone(),
        user_streams: state.user_streams.clone(),
        dependencies: shared.dependencies.borrow().clone(),
        counts: state.counts,
    }
}

fn queued(shared: &Shared, state: &State, stuck: usize) -> Vec<QueuedBuild> {
    let order = state.queue.order();
    let waiting = order.into_iter().filter_map(|number| state.waiting.get(&number));
    (1..)
        .zip(waiting)
        .map(|(position, waiting)| QueuedBuild {
            build: waiting.build.clone(),
            position,
            waits_for: WaitsFor {
                places: shared.config.places,
                stuck,
                before: position - 1,
            },
        })
        .collect()
}

pub(super) fn gauges(snapshot: &Snapshot) {
    metrics::gauge!("imaginator_builds_running").set(snapshot.running.len() as f64);
    metrics::gauge!("imaginator_builds_queued").set(snapshot.queued.len() as f64);
    metrics::gauge!("imaginator_builds_stuck").set(snapshot.stuck.len() as f64);
    metrics::gauge!("imaginator_streams_backing_off").set(snapshot.auto.backing_off.len() as f64);
}

/// Figures that are there before the first build, so that alerts on their growth see the first.
pub(super) fn first() {
    for outcome in ["succeeded", "failed", "cancelled"] {
        metrics::counter!("imaginator_builds_total", "outcome" => outcome).increment(0);
    }
    for counter in [
        "imaginator_builds_started_total",
        "imaginator_requests_joined_total",
        "imaginator_requests_refused_total",
        "imaginator_rebuild_cycles_total",
        "imaginator_images_extended_total",
    ] {
        metrics::counter!(counter).increment(0);
    }
}
