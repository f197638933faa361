//! What the image repository is told, kept up to date: the instance file and the table of users (imgapi-operations.md §1).
//!
//! Everybody reads the published settings in place. A change of keys that can change live is in force at once; a change of the others asks the daemon for
//! a restart ([`SettingsWatcher::restart`]), and the settings keep the old values of those keys until then. A file that is not good changes
//! nothing and says why.
//!
//! Promises: nothing bad ever takes the place of something good. Lacks on purpose: knowledge of what settings do.

mod error;
mod mix;
mod read;
mod shared;

pub use error::SettingsError;
pub use read::{BASE_VARIABLE, read_configuration};
use shared::Shared;

use crate::actor_thread::ActorThread;
use crate::file_watcher::{DebugPanic, FileWatcher, Reload, Watched};
use crate::handle::{ActorState, CallError, Handle, Health};
use crate::supervise::supervise;
use arc_swap::ArcSwap;
use repository::configuration::{Configuration, Settings, UserTable};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

/// The handle of the settings. Clones are cheap.
#[derive(Clone)]
pub struct SettingsWatcher {
    shared: Arc<Shared>,
    actor: Handle<FileWatcher<Shared>>,
}

/// The running watcher. Dropped, it stops.
pub struct SettingsSystem {
    watcher: SettingsWatcher,
    given_up: watch::Receiver<Option<String>>,
    thread: Option<ActorThread>,
}

/// Reads the instance file, and watches it from then on. Blocks.
///
/// # Errors
/// It is not good, or is not there.
pub fn start(path: &Path, allow_debug_panic: bool) -> Result<SettingsSystem, SettingsError> {
    let watcher = SettingsWatcher {
        shared: Arc::new(Shared::load(path, allow_debug_panic)?),
        actor: Handle::new(Shared::NAME),
    };
    let (given_up, receiver) = watch::channel(None);
    let running = watcher.clone();
    let thread = ActorThread::start("settings", move || async move {
        let arbiter = actix_rt::Arbiter::new();
        let shared = running.shared.clone();
        let make = move |guard, _| FileWatcher::new(shared.clone(), guard);
        let supervised = supervise(running.actor, arbiter.handle(), Arc::new(given_up), make);
        actix_rt::spawn(supervised);
        Ok::<_, SettingsError>(Vec::from([arbiter]))
    })?;
    Ok(SettingsSystem {
        watcher,
        given_up: receiver,
        thread: Some(thread),
    })
}

impl SettingsWatcher {
    /// The configuration that is in force.
    pub fn configuration(&self) -> Arc<Configuration> {
        self.shared.configuration.load_full()
    }

    /// Where the settings that are in force are found.
    pub fn settings(&self) -> Arc<ArcSwap<Settings>> {
        self.shared.settings.clone()
    }

    /// The users there are, if they are told by a file: without one every owner exists.
    pub fn users(&self) -> Option<Arc<UserTable>> {
        self.shared.users.load_full()
    }

    /// What is wrong now; empty if nothing is.
    pub fn problems(&self) -> Vec<String> {
        self.shared.problems()
    }

    /// Tells when something came into force.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Holds the settings that a restart would bring into force, once there are such, and the keys that need it.
    pub fn restart(&self) -> watch::Receiver<Option<Arc<Restart>>> {
        self.shared.restart.subscribe()
    }

    /// The restart is not possible for this reason: everything stays as it is until the file is another.
    pub fn refuse_restart(&self, reason: String) {
        self.shared.refuse_restart(reason);
    }

    /// The instance file.
    pub fn path(&self) -> PathBuf {
        self.shared.path.clone()
    }

    /// Reads the files again, and returns when what they say is in force.
    ///
    /// # Errors
    /// The actor cannot be asked.
    pub async fn reload(&self) -> Result<(), CallError> {
        self.actor.call(Reload).await
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        let problems = self.problems();
        health.trouble = (!problems.is_empty()).then(|| problems.join("; "));
        health.last_error = health.trouble.clone().or(health.last_error);
        health
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(DebugPanic).await
    }
}

/// A restart that the instance file asks for.
#[derive(Debug)]
pub struct Restart {
    /// What would be in force then.
    pub settings: Settings,
    /// Keys whose change needs it.
    pub keys: Vec<&'static str>,
}

impl SettingsSystem {
    /// The handle.
    pub fn watcher(&self) -> &SettingsWatcher {
        &self.watcher
    }

    /// Holds a text once the actor was given up: the daemon should say it and end.
    pub fn given_up(&self) -> watch::Receiver<Option<String>> {
        self.given_up.clone()
    }
}

impl Drop for SettingsSystem {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.watcher.actor.inner.state.send_replace(ActorState::Stopped);
            self.watcher.actor.inner.address.store(None);
            thread.stop();
        }
    }
}
