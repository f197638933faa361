//! Starting and stopping the watcher.

use super::actor::{ConfigWatcherActor, NAME};
use super::kind::Kind;
use super::look::Look;
use super::shared::Shared;
use super::{ConfigError, ConfigWatcher, ConfigWatching};
use crate::actor_thread::ActorThread;
use crate::handle::{ActorState, Handle};
use crate::supervise::supervise;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks whether the variables file has come, beside being told so by the kernel.
const VARIABLES_LOOK: Duration = Duration::from_secs(1);

/// The running watcher. Dropped, it stops.
pub struct ConfigWatcherSystem {
    watcher: ConfigWatcher,
    given_up: watch::Receiver<Option<String>>,
    thread: Option<ActorThread>,
}

/// Waits for the variables file, reads it and the main configuration, and begins to watch; image streams come later. Blocks.
///
/// # Errors
/// The variables file or the main configuration is not good, or cannot be had.
pub fn start(watching: ConfigWatching) -> Result<ConfigWatcherSystem, ConfigError> {
    let watcher = ConfigWatcher {
        shared: Arc::new(Shared::new(watching)?),
        actor: Handle::new(NAME),
    };
    let (given_up, receiver) = watch::channel(None);
    let running = watcher.clone();
    let thread = ActorThread::start("configuration", move || async move {
        prepare(&running.shared).await?;
        let arbiter = actix_rt::Arbiter::new();
        let shared = running.shared.clone();
        let make = move |guard, _| ConfigWatcherActor::new(shared.clone(), guard);
        let supervised = supervise(running.actor, arbiter.handle(), Arc::new(given_up), make);
        actix_rt::spawn(supervised);
        Ok::<_, ConfigError>(vec![arbiter])
    })?;
    Ok(ConfigWatcherSystem {
        watcher,
        given_up: receiver,
        thread: Some(thread),
    })
}

/// Reads what must be there at the start.
pub(super) async fn prepare(shared: &Arc<Shared>) -> Result<(), ConfigError> {
    if let Some(path) = &shared.settings.variables_file {
        let mut is_told = false;
        shared.wakes.follow(Kind::Variables, Some(path));
        while !path.exists() {
            if !is_told {
                tracing::warn!("waiting for the variables file: {}", path.display());
                is_told = true;
            }
            // An answer is no more than a reason to look.
            let _ = tokio::time::timeout(VARIABLES_LOOK, shared.wakes.wait(Kind::Variables)).await;
        }
        shared.look(Kind::Variables, Look::Close).await;
        if let Some(problem) = shared.status(Kind::Variables).problem {
            return Err(ConfigError::Variables(problem));
        }
    }
    if shared.settings.configuration_url.is_empty() {
        return Err(ConfigError::Configuration("no URL is given".to_owned()));
    }
    shared.look(Kind::Configuration, Look::Close).await;
    match shared.status(Kind::Configuration).problem {
        Some(problem) => Err(ConfigError::Configuration(format!(
            "{}: {problem}",
            shared.place(Kind::Configuration)
        ))),
        None => Ok(()),
    }
}

impl ConfigWatcherSystem {
    /// The watcher's handle.
    pub fn watcher(&self) -> &ConfigWatcher {
        &self.watcher
    }

    /// Holds a text once the actor was given up: the daemon should say it and end.
    pub fn given_up(&self) -> watch::Receiver<Option<String>> {
        self.given_up.clone()
    }
}

impl Drop for ConfigWatcherSystem {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        self.watcher.actor.inner.state.send_replace(ActorState::Stopped);
        self.watcher.actor.inner.address.store(None);
        thread.stop();
    }
}
