//! A builder whose cycles begin when a test says so.

use super::{Builder, HOUR, eventually};
use actors::Scheduling;
use actors::config_watcher::Current;
use actors::stream_scheduler::{CycleState, ManifestFetcher};
use std::collections::BTreeMap;
use std::sync::Arc;

/// With one place.
pub fn rebuilding(
    current: Current,
    manifests: Option<Arc<dyn ManifestFetcher>>,
    change: impl FnOnce(&mut Scheduling),
) -> Builder {
    Builder::with(current, |scheduling| {
        scheduling.places = 1;
        scheduling.first_cycle_pause = HOUR;
        scheduling.rebuild_interval = HOUR;
        scheduling.manifests = manifests;
        change(scheduling);
    })
}

/// Lets the next cycle begin, and waits for its end.
pub async fn next_cycle(builder: &Builder) -> BTreeMap<String, CycleState> {
    let snapshot = builder.snapshot();
    let numbers = [&snapshot.auto.cycle, &snapshot.auto.last_cycle];
    let before = numbers.into_iter().flatten().map(|cycle| cycle.number).max();
    builder.clock.pass(HOUR);
    let ended = || {
        builder
            .snapshot()
            .auto
            .last_cycle
            .as_ref()
            .map(|cycle| cycle.number)
    };
    eventually("a cycle has ended", || ended() > before).await;
    builder.snapshot().auto.last_cycle.clone().unwrap().streams
}

pub fn built(names: &[&str]) -> BTreeMap<String, CycleState> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), CycleState::Built))
        .collect()
}
