//! What outlives an incarnation of the actor: where the pass has got to, and what came of the last one.

use super::record::Record;
use super::status::{self, ScrubPass, ScrubStatus};
use super::{RepairSource, Scrubbing};
use crate::object_store::Place;
use crate::{ImageIndex, ObjectStore};
use hash::Hash;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Finds of one kind that are counted at most: beyond that it is not the number that matters.
const FOUND_KEPT: usize = 1_000_000;

/// After a pass that did not reach its end.
const FAILED_PAUSE: Duration = Duration::from_secs(3600);

pub(crate) struct Shared {
    pub(super) images: ImageIndex,
    pub(super) objects: ObjectStore,
    pub(super) config: Scrubbing,
    pub(super) allow_debug_panic: bool,
    state: Mutex<State>,
    /// Repairs are made one round after the other.
    pub(super) repair_turn: tokio::sync::Mutex<()>,
}

/// Where a pass has got to.
#[derive(Debug, Clone)]
pub(super) enum Position {
    /// Image files after this name come next; all of them without one.
    Images(Option<Arc<str>>),
    Objects(Place),
}

/// The pass under way.
struct Running {
    pass: ScrubPass,
    position: Position,
    finds: Finds,
}

/// What was found damaged since the pass before ended, each once, whether a pass met it first or somebody who asked for it;
/// and how much was repaired.
#[derive(Default)]
struct Finds {
    images: HashSet<Arc<str>>,
    objects: HashSet<Hash>,
    repaired_images: u64,
    repaired_objects: u64,
}

struct State {
    running: Option<Running>,
    /// While no pass is under way: the next begins with these.
    finds: Finds,
    last: Option<ScrubPass>,
    record: Record,
    next_at: Option<SystemTime>,
    last_error: Option<String>,
    passes: u64,
}

impl Shared {
    /// `upstream`: the server that this one follows, which is asked first. Blocks.
    pub(crate) fn new(
        mut config: Scrubbing,
        upstream: Option<RepairSource>,
        images: ImageIndex,
        objects: ObjectStore,
        allow_debug_panic: bool,
    ) -> Shared {
        config.sources.splice(0..0, upstream);
        let record = Record::read(&images);
        status::publish_first();
        if let Some(at) = record.finished_at {
            status::publish_finished(at);
        }
        let first = SystemTime::now() + config.first_pause;
        let due = match (record.finished_at, record.at_first_byte) {
            (Some(at), None) => at.checked_add(config.interval).unwrap_or(first),
            _ => first,
        };
        let next_at = (!config.interval.is_zero()).then(|| due.max(first));
        Shared {
            images,
            objects,
            config,
            allow_debug_panic,
            state: Mutex::new(State {
                running: None,
                finds: Finds::default(),
                last: None,
                record,
                next_at,
                last_error: None,
                passes: 0,
            }),
            repair_turn: tokio::sync::Mutex::new(()),
        }
    }

    pub(super) fn status(&self) -> ScrubStatus {
        let state = self.state.lock();
        ScrubStatus {
            running: state.running.as_ref().map(|running| running.pass.clone()),
            last: state.last.clone(),
            last_finished_at: state.record.finished_at,
            next_at: state.next_at,
            sources: self
                .config
                .sources
                .iter()
                .map(|source| source.name.clone())
                .collect(),
            last_error: state.last_error.clone(),
        }
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.state.lock().last_error.clone()
    }

    pub(super) fn failed(&self, text: String) {
        self.state.lock().last_error = Some(text);
    }

    /// Whether a pass is to begin by itself now.
    pub(super) fn is_due(&self) -> bool {
        let state = self.state.lock();
        state.running.is_none() && state.next_at.is_some_and(|at| at <= SystemTime::now())
    }

    pub(super) fn is_running(&self) -> bool {
        self.state.lock().running.is_some()
    }

    /// A pass begins, unless one is under way; true if it does, and its number. One that goes by the schedule goes on where
    /// one of an earlier process ended.
    pub(super) fn begin(&self, asked_for: bool, rate_bytes: u64) -> (bool, u64) {
        let rate_bytes = match rate_bytes {
            0 => self.config.rate_bytes,
            other => other,
        };
        let mut state = self.state.lock();
        if let Some(running) = &mut state.running {
            if asked_for {
                running.pass.rate_bytes = rate_bytes;
            }
            return (false, running.pass.number);
        }
        state.passes += 1;
        let figures = self.objects.statistics();
        let finds = std::mem::take(&mut state.finds);
        let mut pass = ScrubPass {
            number: state.passes,
            asked_for,
            rate_bytes,
            started_at: Some(SystemTime::now()),
            images_total: self.images.snapshot().images.len() as u64,
            objects_total: figures.objects,
            bytes_total: figures.bytes,
            ..ScrubPass::default()
        };
        let begun = state.record.place().filter(|_| !asked_for);
        let position = begun.map_or(Position::Images(None), Position::Objects);
        finds.put_into(&mut pass);
        tracing::info!("Scrub: begins ({} bytes of objects)", pass.bytes_total);
        status::publish(&pass);
        let number = pass.number;
        state.running = Some(Running {
            pass,
            position,
            finds,
        });
        state.next_at = None;
        (true, number)
    }

    /// Where the pass under way has got to.
    pub(super) fn position(&self) -> Option<Position> {
        self.state
            .lock()
            .running
            .as_ref()
            .map(|running| running.position.clone())
    }

    pub(super) fn rate_bytes(&self) -> u64 {
        let state = self.state.lock();
        state
            .running
            .as_ref()
            .map_or(self.config.rate_bytes, |running| running.pass.rate_bytes)
    }

    /// Counts something in the pass under way, if there is one.
    pub(super) fn count(&self, change: impl FnOnce(&mut ScrubPass)) {
        if let Some(running) = &mut self.state.lock().running {
            change(&mut running.pass);
            status::publish(&running.pass);
        }
    }

    /// Damaged images, counted once.
    pub(super) fn found_image(&self, name: &Arc<str>) {
        self.find(|finds| {
            if finds.images.len() < FOUND_KEPT && finds.images.insert(name.clone()) {
                metrics::counter!("imageserver_scrub_found_total", "kind" => "image").increment(1);
            }
        });
    }

    /// Damaged and missing objects, counted once.
    pub(super) fn found_objects(&self, hashes: &[Hash]) {
        self.find(|finds| {
            for hash in hashes {
                if finds.objects.len() < FOUND_KEPT && finds.objects.insert(*hash) {
                    metrics::counter!("imageserver_scrub_found_total", "kind" => "object").increment(1);
                }
            }
        });
    }

    pub(super) fn repaired_image(&self) {
        metrics::counter!("imageserver_scrub_repaired_total", "kind" => "image").increment(1);
        self.find(|finds| finds.repaired_images += 1);
    }

    pub(super) fn repaired_objects(&self, count: u64) {
        metrics::counter!("imageserver_scrub_repaired_total", "kind" => "object").increment(count);
        self.find(|finds| finds.repaired_objects += count);
    }

    fn find(&self, change: impl FnOnce(&mut Finds)) {
        let mut state = self.state.lock();
        match &mut state.running {
            None => change(&mut state.finds),
            Some(running) => {
                change(&mut running.finds);
                running.finds.put_into(&mut running.pass);
            }
        }
    }

    /// The pass has got that far; what is to be written down if that is worth it.
    pub(super) fn reached(&self, reached: Position) -> Option<Record> {
        let mut state = self.state.lock();
        let at_first_byte = match &reached {
            Position::Images(_) => None,
            Position::Objects(place) => place.first_byte(),
        };
        if let Some(running) = &mut state.running {
            running.position = reached;
        }
        let is_news = at_first_byte.is_some() && state.record.at_first_byte != at_first_byte;
        state.record.at_first_byte = at_first_byte;
        is_news.then_some(state.record)
    }

    /// The pass has ended: with what is left damaged, or before its end for this reason. What is to be written down.
    pub(super) fn end(&self, images: u64, objects: u64, failure: Option<String>) -> Record {
        let now = SystemTime::now();
        let mut state = self.state.lock();
        let Some(Running { mut pass, .. }) = state.running.take() else {
            return state.record;
        };
        pass.finished_at = Some(now);
        (pass.unrepaired_images, pass.unrepaired_objects) = (images, objects);
        pass.failure = failure;
        let pause = if pass.failure.is_none() {
            state.record = Record {
                finished_at: Some(now),
                at_first_byte: None,
            };
            status::publish_finished(now);
            self.config.interval
        } else {
            FAILED_PAUSE.min(self.config.interval)
        };
        state.next_at = (!self.config.interval.is_zero())
            .then(|| now.checked_add(pause))
            .flatten();
        tell(&pass);
        status::publish(&pass);
        state.last_error = pass.failure.clone().or(state.last_error.take());
        state.last = Some(pass);
        state.record
    }
}

impl Finds {
    fn put_into(&self, pass: &mut ScrubPass) {
        pass.damaged_images = self.images.len() as u64;
        pass.damaged_objects = self.objects.len() as u64;
        pass.repaired_images = self.repaired_images;
        pass.repaired_objects = self.repaired_objects;
    }
}

fn tell(pass: &ScrubPass) {
    let text = format!(
        "{} image files and {} objects ({}) read; damaged: {} images, {} objects; repaired: {}, {}; left: {}, {}",
        pass.images_checked,
        pass.objects_checked,
        human::bytes(pass.bytes_checked),
        pass.damaged_images,
        pass.damaged_objects,
        pass.repaired_images,
        pass.repaired_objects,
        pass.unrepaired_images,
        pass.unrepaired_objects,
    );
    match &pass.failure {
        Some(cause) => tracing::error!("Scrub: broken off: {cause}; {text}"),
        None if pass.is_clean() => tracing::info!("Scrub: {text}"),
        None => tracing::error!("Scrub: {text}; {} could not be read", pass.unchecked),
    }
}
