//! What is done beside requests: archived manifests that are missing, what the original left, uploads nobody went on with,
//! placeholders whose time is over, the index.
//!
//! A thread of its own, which nobody waits for. It holds what is known for moments only.

use super::upload::{Claim, KEPT};
use super::{Result, Shared, agree, saved};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use repository::catalogue::{Entry, write_one};
use repository::http::ApiVersion;
use repository::{Uuid, layout};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use storage::repository_dir::Found;

/// What was kept of an upload is removed after this time without anybody going on with it.
pub const KEPT_UPLOAD_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Between two looks at uploads that were kept.
const UPLOADS_PERIOD: Duration = Duration::from_secs(3600);

/// Share of the time that writing the index may take: the pause after a round is at least so many times as long as the round.
const PAUSE_ROUNDS: u32 = 20;

/// Archived manifests that are compared between two looks whether to stop.
const ARCHIVES_AT_ONCE: usize = 64;

/// The running thread.
pub(super) struct Care {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Care {
    /// Begins. `is_current`: what was read came from the index alone.
    pub(super) fn start(shared: Arc<Shared>, is_current: bool) -> Result<Self> {
        let (stop, stopped) = bounded(0);
        let generation = shared.known.lock().generation;
        let mut worker = Worker {
            shared,
            saved: is_current.then_some(generation),
        };
        let thread = std::thread::Builder::new()
            .name("repository-care".to_owned())
            .spawn(move || worker.run(&stopped))
            .map_err(super::error::no_threads)?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Writes the index and ends. Blocks.
    pub(super) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    shared: Arc<Shared>,
    /// The generation that the index has.
    saved: Option<u64>,
}

impl Worker {
    fn run(&mut self, stopped: &Receiver<()>) {
        let is_stopped = || stopped.try_recv() != Err(crossbeam_channel::TryRecvError::Empty);
        told(self.remove_what_the_original_left(is_stopped));
        let mut uploads_looked_at = None::<Instant>;
        loop {
            let start = Instant::now();
            told(self.agree());
            told(self.archive(is_stopped));
            if uploads_looked_at.is_none_or(|at| at.elapsed() > UPLOADS_PERIOD) {
                told(self.remove_old_uploads());
                uploads_looked_at = Some(Instant::now());
            }
            self.save();
            self.shared.tidied.send_modify(|rounds| *rounds += 1);
            let pause = self.shared.index_pause.max(start.elapsed() * PAUSE_ROUNDS);
            if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                self.save();
                return;
            }
        }
    }

    /// Carries out what a change that failed left, so that what waits for it does not wait for the next change.
    fn agree(&self) -> Result<()> {
        let mut known = self.shared.known.lock();
        if known.must_agree {
            agree::with_disk(&self.shared, &mut known)?;
            self.shared.is_in_trouble(None);
        }
        Ok(())
    }

    /// Writes the index, if something changed.
    fn save(&mut self) {
        let generation = self.shared.known.lock().generation;
        if self.saved == Some(generation) {
            return;
        }
        let start = Instant::now();
        match saved::save(&self.shared) {
            Ok(()) => {}
            Err(error) => tracing::warn!("the next start will take longer: {error}"),
        }
        metrics::gauge!("imgapi_index_write_seconds").set(start.elapsed().as_secs_f64());
        self.saved = Some(generation);
    }

    /// Compares archived manifests that may not be right, and writes those that are not.
    fn archive(&self, is_stopped: impl Fn() -> bool) -> Result<()> {
        let waiting: Vec<Uuid> = self.shared.known.lock().unarchived.iter().copied().collect();
        for some in waiting.chunks(ARCHIVES_AT_ONCE) {
            if is_stopped() {
                return Ok(());
            }
            let mut wrong = Vec::new();
            for &uuid in some {
                let Some(entry) = self.shared.catalogue.load().get(uuid).cloned() else {
                    self.shared.known.lock().unarchived.remove(&uuid);
                    continue;
                };
                if !self.is_archived(&entry) {
                    wrong.push(uuid);
                    continue;
                }
                let mut known = self.shared.known.lock();
                // Unless it changed meanwhile: then whoever changed it took care of it.
                if self
                    .shared
                    .catalogue
                    .load()
                    .get(uuid)
                    .is_some_and(|now| Arc::ptr_eq(now, &entry))
                {
                    known.unarchived.remove(&uuid);
                }
            }
            let mut known = self.shared.known.lock();
            self.shared.archive(&mut known, &wrong);
        }
        Ok(())
    }

    fn is_archived(&self, entry: &Entry) -> bool {
        let mut text = Vec::new();
        write_one(entry.form(), ApiVersion::Two, false, &mut text);
        let read = self
            .shared
            .directory
            .read(&layout::archive(entry.uuid()), text.len() as u64);
        matches!(read, Ok(Some((found, _))) if found == text)
    }

    /// Uploads to the original that ended without success lie beside the files; it never removes them.
    fn remove_what_the_original_left(&self, is_stopped: impl Fn() -> bool) -> Result<()> {
        let files = &self.shared.files;
        let is_directory = |found: &Found| found.is_directory && !found.name.starts_with('.');
        for above in files.list(layout::IMAGES)?.into_iter().filter(is_directory) {
            let above = format!("{}/{}", layout::IMAGES, above.name);
            for image in files.list(&above)?.into_iter().filter(is_directory) {
                if is_stopped() {
                    return Ok(());
                }
                let uuid = Uuid::parse(&image.name);
                let image = format!("{above}/{}", image.name);
                let inside = files.list(&image)?;
                for left in inside.iter().filter(|found| layout::is_leftover(&found.name)) {
                    files.remove(&format!("{image}/{}", left.name))?;
                    tracing::info!("{image}/{} was left by an upload and is removed", left.name);
                }
                let is_empty = inside.iter().all(|found| layout::is_leftover(&found.name));
                // Not while somebody is about to put a file there.
                let known = self.shared.known.lock();
                if is_empty && uuid.is_none_or(|uuid| !known.records.contains_key(&uuid)) {
                    files.remove_empty_directory(&image)?;
                }
                drop(known);
            }
        }
        Ok(())
    }

    /// Removes what was kept of uploads too long ago, or of images that take no files any more.
    fn remove_old_uploads(&self) -> Result<()> {
        let now_ns = self.shared.directory.clock_ns()?;
        let catalogue = self.shared.catalogue.load_full();
        for found in self.shared.files.list(layout::UPLOADS)? {
            let Some((uuid, KEPT)) = layout::upload_of(&found.name) else {
                continue;
            };
            let life_ns = i64::try_from(KEPT_UPLOAD_LIFE.as_nanos()).unwrap_or(i64::MAX);
            let is_old = found.stamp.ctime_ns.saturating_add(life_ns) < now_ns;
            let name = format!("{}/{}", layout::UPLOADS, found.name);
            if (is_old || catalogue.get(uuid).is_none())
                && let Ok(_claim) = Claim::take(&self.shared.claims, &name)
            {
                self.shared.files.remove(&name)?;
                tracing::info!("{name} is removed: nobody went on with this upload");
            }
        }
        Ok(())
    }
}

fn told(outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!("keeping the repository tidy: {error}");
    }
}
