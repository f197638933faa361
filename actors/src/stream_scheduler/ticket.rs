//! What somebody who asked for a build holds.

use super::shared::Shared;
use crate::build_runner::{Build, BuildLog, BuildResult};
use std::sync::Arc;

/// A build that was asked for. Dropped, its owner no longer waits; the build goes on, unless the configuration says that it
/// ends with the last who waits.
pub struct Ticket {
    pub(super) build: Arc<Build>,
    pub(super) shared: Arc<Shared>,
    /// It joined a build that was asked for before.
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
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.shared.leave(&self.build);
    }
}
