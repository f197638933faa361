//! Starting and stopping the actors.

use crate::actor_thread::ActorThread;
use crate::handle::{ActorState, Handle};
use crate::image_index::{self, ImageIndex, ImageIndexActor};
use crate::index_writer::IndexWriter;
use crate::object_store::{self, Ledger, ObjectStore, ObjectStoreActor, Table};
use crate::pool::Pool;
use crate::replicator::{self, Replicator, ReplicatorActor};
use crate::scrubber::{self, RepairSource, Scrubber, ScrubberActor};
use crate::supervise::supervise;
use crate::{Config, StartReport};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use storage::{ImageDir, IndexUse, LocalObjects, ObjectBackend, StorageError};
use tokio::sync::{broadcast, watch};

/// Threads that read and verify objects. More than cores: with a cold cache they wait for the disk.
const READ_THREADS: usize = 8;

/// Read jobs running or waiting, over all connections.
const READ_JOBS: usize = 1024;

/// Jobs for the one disk writer: one per incarnation of the actor, normally one.
const WRITER_JOBS: usize = 8;

/// How long stopping waits for work in progress. All of it is either acknowledged and durable, or not acknowledged.
const STOP_WAIT: Duration = Duration::from_secs(30);

/// Why the actors cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directories.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The system has no thread for us.
    #[error("cannot start threads: {0}")]
    Threads(#[from] std::io::Error),
}

/// The running actors.
pub struct System {
    /// The object store.
    pub objects: ObjectStore,
    /// The image index.
    pub images: ImageIndex,
    /// The link to the master; a master has none.
    pub replicator: Option<Replicator>,
    /// Reads everything again from time to time.
    pub scrubber: Scrubber,
    report: StartReport,
    index_writer: IndexWriter,
    given_up: watch::Receiver<Option<String>>,
    thread: Option<ActorThread>,
}

/// Scans objects, loads images (`imageserver.md §6.6, §6.7`), starts the actors. Blocks until everything is loaded.
///
/// Errors: a directory that cannot be opened or read, or is in use by another process. Damaged images and objects are
/// none: they are quarantined.
pub fn start(config: Config) -> Result<System, StartError> {
    let start = Instant::now();
    let mut report = StartReport::default();
    let objects = Arc::new(object_shared(&config)?);
    scan(&objects, &mut report)?;
    let images = Arc::new(image_index::Shared {
        directory: ImageDir::open(&config.image_dir)?,
        snapshot: ArcSwap::default(),
        events: broadcast::Sender::new(image_index::EVENTS),
        objects: objects.clone(),
        pool: Pool::new("image", image_index::IMAGE_THREADS, image_index::IMAGE_JOBS)?,
        jobs: Default::default(),
        trees: image_index::Trees::new(config.tree_cache_bytes),
        pools: image_index::Pools::default(),
        expiration: config.expiration,
        replica: config.replica || config.replication.is_some(),
        clock: config.clock,
        look_at_damage: config.look_at_damage,
        look_at_clock: config.look_at_clock,
        last_job_error: Default::default(),
        allow_debug_panic: config.allow_debug_panic,
    });
    image_index::load(&images, &mut report)?;
    objects.table.queue_unreferenced();
    report.took = start.elapsed();
    report.publish();
    let index_writer = IndexWriter::start(images.clone(), config.index_pause, report.is_from_index())?;
    let objects = ObjectStore {
        shared: objects,
        actor: Handle::new(object_store::NAME),
    };
    let images = ImageIndex {
        shared: images,
        actor: Handle::new(image_index::NAME),
    };
    let upstream = config.replication.as_ref().map(|replication| RepairSource {
        name: replication.upstream.clone(),
        connect: replication.connect.clone(),
    });
    let scrubber = Scrubber {
        shared: Arc::new(scrubber::Shared::new(
            config.scrubbing,
            upstream,
            images.clone(),
            objects.clone(),
            config.allow_debug_panic,
        )),
        actor: Handle::new(scrubber::NAME),
    };
    let replicator = config.replication.map(|replication| Replicator {
        shared: Arc::new(replicator::Shared::new(
            replication,
            images.clone(),
            objects.clone(),
            config.allow_debug_panic,
        )),
        actor: Handle::new(replicator::NAME),
    });
    let (given_up, receiver) = watch::channel(None);
    let (store, index) = (objects.clone(), images.clone());
    let (link, reader) = (replicator.clone(), scrubber.clone());
    let thread = ActorThread::start("actors", || async {
        Ok::<_, StartError>(start_actors(store, index, link, reader, Arc::new(given_up)).await)
    })?;
    Ok(System {
        objects,
        images,
        report,
        index_writer,
        replicator,
        scrubber,
        given_up: receiver,
        thread: Some(thread),
    })
}

fn object_shared(config: &Config) -> Result<object_store::Shared, StartError> {
    let backend: Arc<dyn ObjectBackend> = Arc::new(LocalObjects::open(&config.object_dir)?);
    let table = Arc::new(Table::new());
    Ok(object_store::Shared {
        space: parking_lot::Mutex::new(backend.space()?),
        backend,
        ledger: Ledger::new(table.clone()),
        table,
        read_pool: Pool::new("object-read", READ_THREADS, READ_JOBS)?,
        buffers: Arc::default(),
        writer: Pool::new("object-write", 1, WRITER_JOBS)?,
        staging: object_store::Staging::new(),
        lease: config.lease,
        collector: config.collector,
        unknown_images: Default::default(),
        writing: Default::default(),
        corrupt_found: Default::default(),
        damages: Default::default(),
        file_clock: Default::default(),
        allow_debug_panic: config.allow_debug_panic,
    })
}

fn scan(objects: &object_store::Shared, start_report: &mut StartReport) -> Result<(), StorageError> {
    let start = Instant::now();
    let report = objects
        .backend
        .scan(&|hash, size| objects.table.insert_scanned(hash, size))?;
    if let IndexUse::Refused(cause) = &report.index {
        tracing::warn!("the index of objects is not used, all directories are read: {cause}");
    }
    for place in &report.empty {
        tracing::warn!("zero-length file: {place}; the object counts as absent until somebody adds it again");
    }
    for place in &report.misnamed {
        tracing::warn!("not the place of an object, left alone: {place}");
    }
    for error in &report.failed {
        tracing::error!("object directory: {error}");
    }
    metrics::gauge!("imageserver_empty_object_files").set(report.empty.len() as f64);
    let plural = if report.objects == 1 { "object" } else { "objects" };
    tracing::info!(
        "Scanned {} {plural} in {} ({} from the index)",
        report.objects,
        image_index::took(start),
        report.from_index,
    );
    start_report.objects_from_index = report.from_index;
    start_report.objects_scanned = report.objects - report.from_index;
    start_report.object_index = report.index;
    Ok(())
}

/// Each actor has an arbiter, and so a thread, of its own.
async fn start_actors(
    objects: ObjectStore,
    images: ImageIndex,
    replicator: Option<Replicator>,
    scrubber: Scrubber,
    given_up: Arc<watch::Sender<Option<String>>>,
) -> Vec<actix_rt::Arbiter> {
    let mut arbiters = Vec::from([actix_rt::Arbiter::new(), actix_rt::Arbiter::new()]);
    let [object_arbiter, image_arbiter] = [arbiters[0].handle(), arbiters[1].handle()];
    let index = images.shared.clone();
    let published: object_store::PublishedObjects = Arc::new(move || index.snapshot.load().runs());
    let shared = objects.shared.clone();
    let make = move |guard, birth| ObjectStoreActor::new(shared.clone(), published.clone(), guard, birth);
    actix_rt::spawn(supervise(objects.actor, object_arbiter, given_up.clone(), make));
    let shared = images.shared.clone();
    let make = move |guard, birth| ImageIndexActor::new(shared.clone(), guard, birth);
    actix_rt::spawn(supervise(images.actor, image_arbiter, given_up.clone(), make));
    let arbiter = actix_rt::Arbiter::new();
    let shared = scrubber.shared.clone();
    let make = move |guard, _| ScrubberActor::new(shared.clone(), guard);
    let supervised = supervise(scrubber.actor, arbiter.handle(), given_up.clone(), make);
    actix_rt::spawn(supervised);
    arbiters.push(arbiter);
    if let Some(replicator) = replicator {
        let arbiter = actix_rt::Arbiter::new();
        let shared = replicator.shared.clone();
        let make = move |guard, _| ReplicatorActor::new(shared.clone(), guard);
        actix_rt::spawn(supervise(replicator.actor, arbiter.handle(), given_up, make));
        arbiters.push(arbiter);
    }
    arbiters
}

impl System {
    /// How the start went.
    pub fn start_report(&self) -> &StartReport {
        &self.report
    }

    /// Holds a text once an actor was given up: the daemon should say it and end.
    pub fn given_up(&self) -> watch::Receiver<Option<String>> {
        self.given_up.clone()
    }

    /// Takes no further requests, waits for work in progress for a bounded time, and ends the threads. Blocks.
    pub fn stop(mut self) {
        self.stop_actors(STOP_WAIT);
    }

    fn stop_actors(&mut self, wait: Duration) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        self.scrubber.actor.inner.state.send_replace(ActorState::Stopped);
        self.scrubber.actor.inner.address.store(None);
        if let Some(replicator) = &self.replicator {
            // First, so that it gives the others no more work. Its link ends with the actor, and that with its address.
            replicator.actor.inner.state.send_replace(ActorState::Stopped);
            replicator.actor.inner.address.store(None);
        }
        self.images.actor.inner.state.send_replace(ActorState::Stopped);
        let deadline = Instant::now() + wait;
        let is_idle = || {
            self.images.health().queue_len == 0
                && self.images.shared.jobs.running() == 0
                && self.objects.health().queue_len == 0
                && self.objects.shared.writing.load(Ordering::Acquire) == 0
        };
        while !is_idle() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.objects.actor.inner.state.send_replace(ActorState::Stopped);
        // Without addresses the actors end, and with them the arbiters' work.
        self.images.actor.inner.address.store(None);
        self.objects.actor.inner.address.store(None);
        thread.stop();
        let pools = [
            &self.images.shared.pool,
            &self.objects.shared.read_pool,
            &self.objects.shared.writer,
        ];
        while !pools.iter().all(|pool| pool.is_idle()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.index_writer.stop();
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.stop_actors(Duration::from_secs(1));
    }
}
