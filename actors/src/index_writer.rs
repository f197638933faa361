//! Keeps the indexes on disk close to what is served, so that also after a kill the next start has little to read.
//!
//! A thread of its own: nobody waits for it, and it asks nobody. Losing it, or what it writes, costs time at the next start
//! and nothing else.

use crate::image_index;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Share of the time that writing may take: the pause after a round is at least so many times as long as the round.
const PAUSE_ROUNDS: u32 = 20;

/// The running thread.
pub(crate) struct IndexWriter {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Worker {
    images: Arc<image_index::Shared>,
    pause: Duration,
    /// What the indexes on disk say, as far as is known.
    written: Option<Version>,
}

/// Tells one state from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    generation: u64,
    object_changes: u64,
}

impl IndexWriter {
    /// `pause`: time between two rounds, if anything has changed. The first round is at once, unless `is_current`: what
    /// was served from the start on came from the indexes.
    pub(crate) fn start(
        images: Arc<image_index::Shared>,
        pause: Duration,
        is_current: bool,
    ) -> std::io::Result<IndexWriter> {
        let mut worker = Worker {
            images,
            pause,
            written: None,
        };
        worker.written = is_current.then(|| worker.version());
        let (stop, stopped) = bounded(0);
        let thread = std::thread::Builder::new()
            .name("index-writer".to_owned())
            .spawn(move || worker.run(&stopped))?;
        Ok(IndexWriter {
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Writes what has changed and ends. Blocks.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for IndexWriter {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Worker {
    fn run(&mut self, stopped: &Receiver<()>) {
        loop {
            let took = self.round();
            let pause = self.pause.max(took * PAUSE_ROUNDS);
            if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                self.round();
                return;
            }
        }
    }

    fn round(&mut self) -> Duration {
        let version = self.version();
        if self.written == Some(version) {
            return Duration::ZERO;
        }
        let start = Instant::now();
        let images = image_index::save(&self.images);
        let objects = self.images.objects.backend.save_index();
        for error in [images, objects].into_iter().filter_map(Result::err) {
            tracing::warn!("the next start will take longer: {error}");
        }
        self.written = Some(version);
        metrics::gauge!("imageserver_index_write_seconds").set(start.elapsed().as_secs_f64());
        start.elapsed()
    }

    fn version(&self) -> Version {
        Version {
            generation: self.images.snapshot.load().generation,
            object_changes: self.images.objects.table.changes.load(Ordering::Acquire),
        }
    }
}
