//! Starting and stopping the actors of the image builder.

use crate::actor_thread::ActorThread;
use crate::handle::{ActorState, Handle};
use crate::log_archive::{self, ArchiveActor, Archiving, LogArchive};
use crate::stream_scheduler::{self, SchedulerActor, Scheduling, StreamScheduler};
use crate::supervise::supervise;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long stopping waits for builds to end after they were cancelled: a sandbox is gone within seconds.
const STOP_WAIT: Duration = Duration::from_secs(20);

/// Why the actors cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum BuilderStartError {
    /// The system has no thread for us.
    #[error("cannot start threads: {0}")]
    Threads(#[from] std::io::Error),
}

/// The running actors of the image builder.
pub struct BuilderSystem {
    /// What is built, when, and for whom.
    pub scheduler: StreamScheduler,
    /// Logs of builds that have ended, if they are kept.
    pub archive: Option<LogArchive>,
    given_up: watch::Receiver<Option<String>>,
    thread: Option<ActorThread>,
}

/// Loads the archive, starts the actors. Blocks until the archive is loaded. Without `archiving` no logs are kept.
pub fn start_builder(
    scheduling: Scheduling,
    archiving: Option<Archiving>,
) -> Result<BuilderSystem, BuilderStartError> {
    let allow_debug_panic = scheduling.allow_debug_panic;
    let archive = match archiving {
        Some(archiving) => Some(LogArchive {
            shared: Arc::new(log_archive::Shared::load(archiving, allow_debug_panic)?),
            actor: Handle::new(log_archive::NAME),
        }),
        None => None,
    };
    let scheduler = StreamScheduler {
        shared: Arc::new(stream_scheduler::Shared::new(scheduling, archive.clone())),
        actor: Handle::new(stream_scheduler::NAME),
    };
    let (given_up, receiver) = watch::channel(None);
    let (scheduling, archived) = (scheduler.clone(), archive.clone());
    let thread = ActorThread::start("builder-actors", || async {
        Ok::<_, BuilderStartError>(start_actors(scheduling, archived, Arc::new(given_up)).await)
    })?;
    Ok(BuilderSystem {
        scheduler,
        archive,
        given_up: receiver,
        thread: Some(thread),
    })
}

async fn start_actors(
    scheduler: StreamScheduler,
    archive: Option<LogArchive>,
    given_up: Arc<watch::Sender<Option<String>>>,
) -> Vec<actix_rt::Arbiter> {
    let mut arbiters = Vec::from([actix_rt::Arbiter::new(), actix_rt::Arbiter::new()]);
    let [arbiter, runners] = [arbiters[0].handle(), arbiters[1].handle()];
    let shared = scheduler.shared.clone();
    let make = move |guard, _| SchedulerActor::new(shared.clone(), runners.clone(), guard);
    actix_rt::spawn(supervise(scheduler.actor, arbiter, given_up.clone(), make));
    if let Some(archive) = archive {
        let arbiter = actix_rt::Arbiter::new();
        let shared = archive.shared.clone();
        let make = move |guard, _| ArchiveActor::new(shared.clone(), guard);
        actix_rt::spawn(supervise(archive.actor, arbiter.handle(), given_up, make));
        arbiters.push(arbiter);
    }
    arbiters
}

impl BuilderSystem {
    /// Holds a text once an actor was given up: the daemon should say it and end.
    pub fn given_up(&self) -> watch::Receiver<Option<String>> {
        self.given_up.clone()
    }

    /// Takes no further requests, cancels what runs, waits for its end for a bounded time, and ends the threads. Blocks.
    pub fn stop(mut self) {
        self.stop_actors(STOP_WAIT);
    }

    fn stop_actors(&mut self, wait: Duration) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        let deadline = Instant::now() + wait;
        let scheduler = &self.scheduler;
        scheduler.actor.inner.state.send_replace(ActorState::Stopped);
        scheduler.shared.stop();
        let is_idle = || {
            let is_stored = self
                .archive
                .as_ref()
                .is_none_or(|archive| archive.shared.is_idle());
            scheduler.shared.is_idle() && is_stored
        };
        while !is_idle() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        scheduler.actor.inner.address.store(None);
        if let Some(archive) = &self.archive {
            archive.actor.inner.state.send_replace(ActorState::Stopped);
            archive.actor.inner.address.store(None);
        }
        thread.stop();
    }
}

impl Drop for BuilderSystem {
    fn drop(&mut self) {
        self.stop_actors(Duration::from_secs(1));
    }
}
