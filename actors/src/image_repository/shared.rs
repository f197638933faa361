//! What outlives an incarnation of the actor.

use super::known::Known;
use super::problem::RecordProblem;
use super::upload::{Claim, Claims, KEPT};
use super::{ChangeKind, RepositoryChange, RepositoryStore, Result};
use crate::Clock;
use crate::pool::Pool;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use repository::access::Guarded as _;
use repository::catalogue::{Catalogue, write_one};
use repository::http::ApiVersion;
use repository::manifest::Rules;
use repository::{Uuid, layout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use storage::{FileStore, RepositoryDir};
use tokio::sync::{broadcast, watch};

/// Changes a receiver may lag behind.
const EVENTS: usize = 4096;

/// Threads that read records, open files and flush uploads: they wait for the disk.
const READ_THREADS: usize = 8;

/// Such jobs running or waiting, at most.
const READ_JOBS: usize = 1024;

/// Jobs for the one writer: one per incarnation of the actor, normally one.
const WRITER_JOBS: usize = 8;

pub(crate) struct Shared {
    pub(super) directory: Arc<RepositoryDir>,
    pub(super) files: Arc<dyn FileStore>,
    pub(super) rules: Rules,
    pub(super) clock: Clock,
    pub(super) index_pause: Duration,
    pub(super) allow_debug_panic: bool,
    pub(super) catalogue: ArcSwap<Catalogue>,
    pub(super) known: Mutex<Known>,
    pub(super) problems: ArcSwap<Vec<RecordProblem>>,
    pub(super) events: broadcast::Sender<RepositoryChange>,
    pub(super) tidied: watch::Sender<u64>,
    /// One thread: changes come one batch after the other.
    pub(super) writer: Pool,
    pub(super) readers: Pool,
    pub(super) claims: Claims,
    /// Names of uploads that are in the journal: till it is empty, nobody begins another one under them, which would be taken for
    /// the one that was noted.
    journal_names: Mutex<Vec<Arc<Claim>>>,
    /// Names of uploads.
    pub(super) upload_number: AtomicU64,
    /// Changes that the actor took and that are not answered.
    pub(super) in_hand: AtomicUsize,
    trouble: Mutex<Option<String>>,
}

/// The areas of the base directory that this room works in.
const AREAS: [&str; 3] = [layout::MANIFESTS, layout::IMAGES, layout::ARCHIVE];

impl Shared {
    /// Locks the directory. Nothing is read yet.
    pub(super) fn open(store: RepositoryStore) -> Result<Self> {
        let directory = Arc::new(RepositoryDir::open(&store.base, &AREAS)?);
        let pool = |name, threads, jobs| Pool::new(name, threads, jobs).map_err(super::error::no_threads);
        Ok(Self {
            files: directory.clone(),
            directory,
            rules: store.rules,
            clock: store.clock,
            index_pause: store.index_pause,
            allow_debug_panic: store.allow_debug_panic,
            catalogue: ArcSwap::default(),
            known: Mutex::default(),
            problems: ArcSwap::default(),
            events: broadcast::Sender::new(EVENTS),
            tidied: watch::Sender::new(0),
            writer: pool("repository-writer", 1, WRITER_JOBS)?,
            readers: pool("repository-reader", READ_THREADS, READ_JOBS)?,
            claims: Claims::default(),
            journal_names: Mutex::default(),
            upload_number: AtomicU64::new(1),
            in_hand: AtomicUsize::new(0),
            trouble: Mutex::default(),
        })
    }

    /// Shows a new snapshot, and tells what changed in it. Needs what is known in hand, so that snapshots follow each other.
    pub(super) fn publish(
        &self,
        known: &mut Known,
        catalogue: Catalogue,
        events: impl IntoIterator<Item = (Uuid, ChangeKind)>,
    ) {
        metrics::gauge!("imgapi_images").set(catalogue.len() as f64);
        self.catalogue.store(Arc::new(catalogue));
        known.generation += 1;
        for (uuid, kind) in events {
            // Nobody may be listening.
            let _ = self.events.send(RepositoryChange { uuid, kind });
        }
    }

    /// Writes the archived manifests of images. They can be made again, so that they are not flushed one by one, and a failure is
    /// only told: it is tried again later.
    pub(super) fn archive(&self, known: &mut Known, images: &[Uuid]) {
        let catalogue = self.catalogue.load();
        let made = images.iter().filter_map(|uuid| {
            let entry = catalogue.get(*uuid)?;
            let mut text = Vec::new();
            write_one(entry.form(), ApiVersion::Two, false, &mut text);
            Some((*uuid, layout::archive(*uuid), text))
        });
        let made: Vec<(Uuid, String, Vec<u8>)> = made.collect();
        let files: Vec<(&str, &[u8])> = made
            .iter()
            .map(|(_, name, text)| (name.as_str(), text.as_slice()))
            .collect();
        let written = self.directory.write_all_unflushed(&files);
        for ((uuid, ..), result) in made.iter().zip(written) {
            match result {
                Ok(()) => drop(known.unarchived.remove(uuid)),
                Err(error) => {
                    tracing::warn!("the archived manifest of {uuid} will be written later: {error}");
                    known.unarchived.insert(*uuid);
                }
            }
        }
    }

    /// Whether an image is activated, as far as was published.
    pub(super) fn is_activated(&self, uuid: Uuid) -> bool {
        let catalogue = self.catalogue.load();
        catalogue.get(uuid).is_some_and(|entry| entry.is_activated())
    }

    /// Names of what was kept of uploads of an image.
    pub(super) fn kept_uploads_of(&self, uuid: Uuid) -> Result<Vec<String>> {
        let found = self.files.list(layout::UPLOADS)?;
        let is_kept = |name: &str| layout::upload_of(name) == Some((uuid, KEPT));
        let names = found
            .into_iter()
            .filter(|found| !found.is_directory && is_kept(&found.name));
        Ok(names
            .map(|found| format!("{}/{}", layout::UPLOADS, found.name))
            .collect())
    }

    /// The journal has an upload of this name.
    pub(super) fn hold_journal_name(&self, claim: &Arc<Claim>) {
        self.journal_names.lock().push(Arc::clone(claim));
    }

    /// The journal is empty.
    pub(super) fn leave_journal_names(&self) {
        self.journal_names.lock().clear();
    }

    /// Notes what is wrong with changes now, or that nothing is any more.
    pub(super) fn is_in_trouble(&self, trouble: Option<String>) {
        let mut known = self.trouble.lock();
        if let Some(text) = trouble.as_ref().filter(|_| *known != trouble) {
            tracing::error!("cannot change an image: {text}");
        }
        *known = trouble;
    }

    /// No change is being made.
    pub(super) fn is_idle(&self) -> bool {
        self.in_hand.load(Ordering::Acquire) == 0 && self.writer.is_idle()
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }
}
