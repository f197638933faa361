//! What the image builder is told, kept up to date: the main configuration, the image streams, the variables file
//! (`imaginator.md §4, §5, §6.3, §7`).
//!
//! Everybody reads the published [`Current`] in place ([`Published`]); the actor looks for changes, reads what changed, and publishes it
//! if it is good. What is bad is told, and the last good one stays in force. Files are looked at when the kernel tells of a change in their
//! directory, and now and then; what comes by HTTP or git, in intervals that the configuration sets.
//!
//! Promises: nothing bad ever takes the place of something good; no secret is in what is published for people, nor in a log.
//! Lacks on purpose: knowledge of builds. Who needs to act on a change waits for it.
//!
//! | module | what |
//! | --- | --- |
//! | `actor` | messages, and the tasks that look |
//! | `check` | a check of everything without a daemon |
//! | `copy` | the image streams kept for a start without them |
//! | `current` | what is published |
//! | `fetch` | bringing a text |
//! | `look` | one look at a text: is it another, is it good |
//! | `shared` | what is in force, and what was seen |
//! | `wake` | being told of changes by the kernel |
//! | `watch` | when to look |

mod actor;
mod check;
mod copy;
mod current;
mod error;
mod fetch;
mod host;
mod kind;
mod look;
mod settings;
mod shared;
mod stamp;
mod start;
mod wake;
mod watch;

use actor::ConfigWatcherActor;
pub use check::{CheckReport, check};
pub use current::{Current, Published, SourceStatus};
pub use error::ConfigError;
pub use settings::ConfigWatching;
use shared::Shared;
pub use start::{ConfigWatcherSystem, start};

use crate::handle::{CallError, Handle, Health};
use recipe::{FindError, Found, Source};
use settings::RELOAD_MOST;
use std::sync::Arc;

/// The watcher's handle. Clones are cheap.
#[derive(Clone)]
pub struct ConfigWatcher {
    shared: Arc<Shared>,
    actor: Handle<ConfigWatcherActor>,
}

impl ConfigWatcher {
    /// What is in force now.
    pub fn current(&self) -> Arc<Current> {
        self.shared.published.current()
    }

    /// Where that is found, and how to wait for changes.
    pub fn published(&self) -> Published {
        self.shared.published.clone()
    }

    /// Reads everything again, wherever it is, and returns what is in force then. What takes longer than a minute comes later.
    ///
    /// # Errors
    /// The watcher cannot be asked.
    pub async fn reload(&self) -> Result<Arc<Current>, CallError> {
        // Too late is no error: the statuses tell when everything was looked at.
        if let Ok(answer) = tokio::time::timeout(RELOAD_MOST, self.actor.call(actor::Reload)).await {
            answer?;
        }
        Ok(self.current())
    }

    /// Reads the image streams again, unless they are in git: that would take long (`imaginator.md §5`).
    ///
    /// # Errors
    /// The watcher cannot be asked.
    pub async fn reload_streams(&self) -> Result<(), CallError> {
        if matches!(
            self.shared.source(kind::Kind::Streams),
            Ok(Some(Source::Git { .. }))
        ) {
            return Ok(());
        }
        let answer = tokio::time::timeout(RELOAD_MOST, self.actor.call(actor::ReloadStreams));
        answer.await.unwrap_or(Ok(()))
    }

    /// The stream with a name; image streams are read again before one is said to be unknown.
    ///
    /// # Errors
    /// There is none, or several expressions match.
    pub async fn find(&self, name: &str) -> Result<Found, FindError> {
        match self.current().find(name) {
            Err(FindError::Unknown(_)) => {
                if let Err(error) = self.reload_streams().await {
                    tracing::warn!("cannot read the image streams again: {error}");
                }
                self.current().find(name)
            }
            found => found,
        }
    }

    /// How the actor is, and its texts.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        let problems = self.current().problems();
        health.last_error = health
            .last_error
            .or_else(|| (!problems.is_empty()).then(|| problems.join("; ")));
        health
    }

    /// Makes the actor panic, if the settings allow it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(actor::DebugPanic).await
    }
}
