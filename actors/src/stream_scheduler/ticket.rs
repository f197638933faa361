//! What somebody who asked for a build holds.

use super::shared::Shared;
use crate::build_runner::{Build, BuildLog, BuildResult};
use std::sync::Arc;

/// A build that was asked for. Dropped, its owner no longer waits; the build goes on, unless the configuration says that it
/// ends with the last who waits.
pub struct Ticket {
    pub(super) build: Arc<Build>,
    /// Nothing if it does not count any more.
    pub(super) shared: Option<Arc<Shared>>,
    pub(super) has_joined: bool,
}

impl Ticket {
    /// Number of the build.
    pub fn number(&self) -> u64 {
        self.build.number
    }

    /// The build.
    pub fn build(&self) -> &Arc<Build> {
        &self.build
    }

    /// Its log; to be [followed](BuildLog::follow).
    pub fn log(&self) -> &Arc<BuildLog> {
        self.build.log()
    }

    /// Whether somebody had asked for the same before.
    pub fn has_joined(&self) -> bool {
        self.has_joined
    }

    /// Waits for the end. The image, if it was to be handed back, is [`Build::image`].
    pub async fn ended(&self) -> Arc<BuildResult> {
        self.build.ended().await
    }

    /// Counts as somebody who waits until the build has ended.
    pub(super) fn keep(mut self) -> Arc<Build> {
        self.shared = None;
        self.build.clone()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.leave(&self.build);
        }
    }
}
