//! What the engine sees of a build.

use super::Build;
use crate::Clock;
use builder::{Phase, Watcher};
use std::any::Any;
use std::sync::Arc;

/// Watches the build of one stream: the build's own, or a source.
pub(super) struct BuildWatcher {
    pub(super) build: Arc<Build>,
    pub(super) stream: String,
    /// Where the log of this stream begins.
    pub(super) log_start: u64,
    pub(super) clock: Clock,
}

impl Watcher for BuildWatcher {
    fn log(&self, bytes: &[u8]) {
        self.build.log.append(bytes);
    }

    fn phase(&self, phase: Phase) {
        self.build.enter(phase, &self.stream, self.clock.system_time());
    }

    fn log_so_far(&self) -> Vec<u8> {
        self.build.log.read_from(self.log_start)
    }

    fn is_cancelled(&self) -> bool {
        self.build.cancellation.is_cancelled()
    }

    fn on_cancel(&self, end: Box<dyn Fn() + Send + Sync>) -> Box<dyn Any + Send> {
        self.build.cancellation.on_cancel(end)
    }
}
