//! From the queue to a place: whenever one is free.

use super::shared::{Place, Shared, Waiting};
use crate::build_runner::{Build, BuildRunner, Run};
use actix::{Actor, Addr};
use actix_rt::ArbiterHandle;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A build that is to begin.
pub(super) struct Launch {
    build: Arc<Build>,
    slot: u32,
    /// Good for one begin, and only until the place was taken back.
    launch: u64,
}

impl Shared {
    /// Begins whatever there is a place for, each in an actor of its own on the arbiter.
    pub(super) fn begin_all(self: &Arc<Self>, arbiter: &ArbiterHandle) {
        while let Some(launch) = self.take_next() {
            let shared = self.clone();
            arbiter.spawn_fn(move || shared.begin(launch));
        }
    }

    fn take_next(&self) -> Option<Launch> {
        let now = self.now();
        let launch = self.next();
        self.change(|state| {
            if state.is_stopping || state.places.len() >= self.config.places.max(1) {
                return None;
            }
            let (lane, number) = state.queue.pop()?;
            let build = state.waiting.remove(&number)?.build;
            let slot = (0..).find(|slot| state.places.iter().all(|place| place.slot != *slot))?;
            build.start(now);
            state.places.push(Place {
                build: build.clone(),
                lane,
                slot,
                launch,
                is_begun: false,
                runner: None,
                is_stuck: false,
            });
            Some(Launch { build, slot, launch })
        })
    }

    /// On the arbiter of the runners.
    fn begin(self: Arc<Self>, launch: Launch) {
        let build = launch.build.clone();
        let is_ours = self.change(|state| {
            let mut places = state.places.iter_mut();
            let place = places.find(|place| place.launch == launch.launch);
            let Some(place) = place.filter(|place| !place.is_begun) else {
                return false;
            };
            place.is_begun = true;
            state.counts.started += 1;
            true
        });
        if !is_ours {
            return;
        }
        metrics::counter!("imaginator_builds_started_total").increment(1);
        tracing::info!(
            "Build {} of {}: begins ({})",
            build.number,
            build.stream(),
            build.order.why
        );
        let run = Run {
            build,
            engine: self.config.engine.clone(),
            host: self.clone(),
            slot: launch.slot,
            clock: self.config.clock.clone(),
            flights: self.flights.clone(),
        };
        let runner = BuildRunner::new(run, self.config.cancel_grace).start();
        self.keep_runner(launch.launch, runner);
    }

    fn keep_runner(&self, launch: u64, runner: Addr<BuildRunner>) {
        self.change_unseen(|state| {
            let place = state.places.iter_mut().find(|place| place.launch == launch);
            if let Some(place) = place {
                place.runner = Some(runner);
            }
        });
    }

    /// The actor of a build that runs.
    pub(super) fn runner(&self, number: u64) -> Option<Addr<BuildRunner>> {
        self.look(|state| {
            let mut places = state.places.iter();
            places.find(|place| place.build.number == number)?.runner.clone()
        })
    }

    /// After a restart of the actor: what was taken from the queue and not begun goes back, and what is in no queue comes into one.
    pub(super) fn put_in_order(&self) {
        self.change(|state| {
            let (begun, lost): (Vec<_>, Vec<_>) = std::mem::take(&mut state.places)
                .into_iter()
                .partition(|place| place.is_begun);
            state.places = begun;
            for place in lost {
                let number = place.build.number;
                place.build.wait_again();
                state.queue.put_back(number);
                let waiting = Waiting {
                    build: place.build,
                    lanes: BTreeSet::from([place.lane]),
                };
                state.waiting.insert(number, waiting);
            }
            for (number, waiting) in &state.waiting {
                for lane in &waiting.lanes {
                    state.queue.push(lane.clone(), *number);
                }
            }
        });
    }
}
