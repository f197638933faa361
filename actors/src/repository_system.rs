//! Starting and stopping the actors of the image repository.

use crate::Clock;
use crate::actor_thread::ActorThread;
use crate::file_watcher::{FileWatcher, Watched};
use crate::handle::{ActorState, Handle, Health};
use crate::image_repository::{
    self, ImageRepository, ImageRepositorySystem, RepositoryError, RepositoryStore,
};
use crate::jobs::{self, Jobs, JobsActor};
use crate::key_ring::{self, KeyRing};
use crate::supervise::supervise;
use arc_swap::ArcSwap;
use repository::configuration::Settings;
use std::path::PathBuf;
use std::sync::Arc;
use storage::StorageError;
use tokio::sync::watch;

/// What the actors of an image repository are started with.
#[derive(Clone)]
pub struct RepositoryConfig {
    /// Base directory. It must be there; the directories in it are made.
    pub base: PathBuf,
    /// The settings, which others may exchange at any time.
    pub settings: Arc<ArcSwap<Settings>>,
    /// Tells the time.
    pub clock: Clock,
    /// Whether actors panic when asked to: for tests of supervision.
    pub allow_debug_panic: bool,
}

impl RepositoryConfig {
    /// On a base directory, with settings that do not change by themselves.
    pub fn new(base: PathBuf, settings: Settings) -> RepositoryConfig {
        RepositoryConfig {
            base,
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            clock: Clock::default(),
            allow_debug_panic: false,
        }
    }
}

/// Why the actors cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryStartError {
    /// The base directory, or what is in it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The images.
    #[error(transparent)]
    Images(#[from] RepositoryError),
    /// The directory of jobs.
    #[error("cannot read the jobs in {path}: {source}")]
    Jobs {
        /// The base directory.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The system has no thread for us.
    #[error("cannot start threads: {0}")]
    Threads(#[from] std::io::Error),
}

/// The running actors of an image repository.
pub struct RepositorySystem {
    /// The images.
    pub repository: ImageRepository,
    /// Keys of users.
    pub keys: KeyRing,
    /// Imports, copies and builds in progress.
    pub jobs: Jobs,
    images: ImageRepositorySystem,
    given_up: watch::Receiver<Option<String>>,
    thread: Option<ActorThread>,
}

/// Reads what there is and starts the actors. Blocks until everything is loaded. Jobs begin when
/// [`Jobs::begin`] says who does the work.
///
/// # Errors
/// The base directory cannot be used, or another process uses it.
pub fn start_repository(config: RepositoryConfig) -> Result<RepositorySystem, RepositoryStartError> {
    let allow_debug_panic = config.allow_debug_panic;
    let (given_up, receiver) = watch::channel(None);
    let given_up = Arc::new(given_up);
    // First, since it takes the lock of the base directory.
    let store = RepositoryStore {
        clock: config.clock.clone(),
        allow_debug_panic,
        ..RepositoryStore::new(&config.base, config.settings.load().rules())
    };
    let images = image_repository::start_among(store, given_up.clone())?;
    let keys = KeyRing {
        shared: Arc::new(key_ring::Shared::load(
            &config.base,
            config.settings.clone(),
            allow_debug_panic,
        )?),
        actor: Handle::new(key_ring::Shared::NAME),
    };
    let jobs = jobs::Shared::load(&config.base, config.clock, allow_debug_panic);
    let jobs = Jobs {
        shared: Arc::new(jobs.map_err(|source| RepositoryStartError::Jobs {
            path: config.base.display().to_string(),
            source,
        })?),
        actor: Handle::new(jobs::NAME),
    };
    let actors = (keys.clone(), jobs.clone());
    let thread = ActorThread::start("repository", || async {
        Ok::<_, RepositoryStartError>(start_actors(actors, given_up).await)
    })?;
    Ok(RepositorySystem {
        repository: images.repository().clone(),
        images,
        keys,
        jobs,
        given_up: receiver,
        thread: Some(thread),
    })
}

async fn start_actors(
    (keys, jobs): (KeyRing, Jobs),
    given_up: Arc<watch::Sender<Option<String>>>,
) -> Vec<actix_rt::Arbiter> {
    let arbiters = Vec::from([actix_rt::Arbiter::new(), actix_rt::Arbiter::new()]);
    let [for_keys, for_jobs] = [arbiters[0].handle(), arbiters[1].handle()];
    let shared = keys.shared.clone();
    let make = move |guard, _| FileWatcher::new(shared.clone(), guard);
    actix_rt::spawn(supervise(keys.actor, for_keys, given_up.clone(), make));
    let shared = jobs.shared.clone();
    let make = move |guard, birth| JobsActor::new(shared.clone(), birth, guard);
    actix_rt::spawn(supervise(jobs.actor, for_jobs, given_up, make));
    arbiters
}

impl RepositorySystem {
    /// Holds a text once an actor was given up: the daemon should say it and end.
    pub fn given_up(&self) -> watch::Receiver<Option<String>> {
        self.given_up.clone()
    }

    /// How the actors are.
    pub fn health(&self) -> Vec<Health> {
        Vec::from([self.repository.health(), self.keys.health(), self.jobs.health()])
    }

    /// Takes no further requests and ends the threads. Jobs at work are cut off where they are, and run again after the next start if they
    /// can. Blocks.
    pub fn stop(mut self) {
        self.stop_actors();
    }

    fn stop_actors(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        self.keys.actor.inner.state.send_replace(ActorState::Stopped);
        self.jobs.actor.inner.state.send_replace(ActorState::Stopped);
        self.keys.actor.inner.address.store(None);
        self.jobs.actor.inner.address.store(None);
        thread.stop();
        // Last, since jobs end with changes of it.
        self.images.stop_actor();
    }
}

impl Drop for RepositorySystem {
    fn drop(&mut self) {
        self.stop_actors();
    }
}
