//! Starting and stopping.

use super::actor::ImageRepositoryActor;
use super::care::Care;
use super::{ImageRepository, RepositoryReport, Result, Shared, handle, load};
use crate::Clock;
use crate::actor_thread::ActorThread;
use crate::handle::ActorState;
use crate::supervise::supervise;
use repository::manifest::Rules;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Between two looks for placeholders whose time is over (imgapi.md §14).
const PURGE_PERIOD: Duration = Duration::from_secs(1800);

/// How long stopping waits for changes in progress. All of them are either acknowledged and durable, or not acknowledged.
const STOP_WAIT: Duration = Duration::from_secs(30);

/// Where images are kept, and by which rules.
#[derive(Clone, Debug)]
pub struct RepositoryStore {
    /// The base directory, which must be there.
    pub base: PathBuf,
    /// What records are checked against when they are read.
    pub rules: Rules,
    /// By which placeholders expire.
    pub clock: Clock,
    /// Time between two updates of the index that speeds the next start, while there are changes.
    pub index_pause: Duration,
    /// Lets messages that panic on purpose through: for tests alone.
    pub allow_debug_panic: bool,
}

impl RepositoryStore {
    /// With the usual settings.
    pub fn new(base: impl Into<PathBuf>, rules: Rules) -> Self {
        Self {
            base: base.into(),
            rules,
            clock: Clock::default(),
            index_pause: Duration::from_secs(60),
            allow_debug_panic: false,
        }
    }
}

/// The running repository. Dropped, it stops.
pub struct ImageRepositorySystem {
    repository: ImageRepository,
    report: RepositoryReport,
    care: Care,
    given_up: watch::Receiver<Option<String>>,
    thread: Option<ActorThread>,
}

/// Locks the directory, carries out what an earlier run had begun, reads all records, starts the actor. Blocks until everything
/// is read. A record that cannot be read is a warning and no error.
///
/// # Errors
/// The directory is in use by another process, or cannot be read; no threads.
pub fn start(store: RepositoryStore) -> Result<ImageRepositorySystem> {
    start_among(store, Arc::new(watch::Sender::new(None)))
}

/// The same beside other actors, whose end is told in the same place.
pub(crate) fn start_among(
    store: RepositoryStore,
    given_up: Arc<watch::Sender<Option<String>>>,
) -> Result<ImageRepositorySystem> {
    let shared = Arc::new(Shared::open(store)?);
    let report = load::load(&shared)?;
    tracing::info!(
        "{} images, {} of them read anew, in {} ms",
        report.images,
        report.read,
        report.took.as_millis()
    );
    let care = Care::start(shared.clone(), report.is_from_index())?;
    let repository = handle::new(shared);
    let running = repository.clone();
    let receiver = given_up.subscribe();
    let thread = ActorThread::start("image-repository", || async {
        Ok::<_, std::io::Error>(start_actor(running, given_up))
    });
    Ok(ImageRepositorySystem {
        repository,
        report,
        care,
        given_up: receiver,
        thread: Some(thread.map_err(super::error::no_threads)?),
    })
}

fn start_actor(
    repository: ImageRepository,
    given_up: Arc<watch::Sender<Option<String>>>,
) -> Vec<actix_rt::Arbiter> {
    let arbiter = actix_rt::Arbiter::new();
    let shared = repository.shared.clone();
    let make = move |guard, birth| ImageRepositoryActor::new(shared.clone(), guard, birth);
    actix_rt::spawn(supervise(
        repository.actor.clone(),
        arbiter.handle(),
        given_up,
        make,
    ));
    actix_rt::spawn(purge(repository));
    Vec::from([arbiter])
}

/// Removes placeholders whose time is over, now and every half hour, by the clock as it is then.
async fn purge(repository: ImageRepository) {
    loop {
        let now = repository.shared.clock.system_time();
        if let Err(error) = repository.purge_expired(now).await {
            tracing::warn!("removing expired placeholders: {error}");
        }
        actix_rt::time::sleep(PURGE_PERIOD).await;
    }
}

impl ImageRepositorySystem {
    /// The handle.
    pub fn repository(&self) -> &ImageRepository {
        &self.repository
    }

    /// What the start found.
    pub fn report(&self) -> &RepositoryReport {
        &self.report
    }

    /// Holds a text once the actor was given up: the daemon should say it and end.
    pub fn given_up(&self) -> watch::Receiver<Option<String>> {
        self.given_up.clone()
    }

    /// Takes no further changes, waits for those in progress, writes the index, and lets go of the directory once the last handle
    /// is dropped. Blocks.
    pub fn stop(mut self) {
        self.stop_actor();
    }

    pub(crate) fn stop_actor(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        let actor = &self.repository.actor;
        actor.inner.state.send_replace(ActorState::Stopped);
        actor.inner.address.store(None);
        let deadline = Instant::now() + STOP_WAIT;
        // What was taken is carried out; the actor's queue and the writer's are what it waits in.
        let is_idle = || actor.health().queue_len == 0 && self.repository.shared.is_idle();
        while !is_idle() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        thread.stop();
        self.care.stop();
    }
}

impl Drop for ImageRepositorySystem {
    fn drop(&mut self) {
        self.stop_actor();
    }
}
