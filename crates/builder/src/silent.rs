//! A watcher for work that belongs to no build.

use crate::{Phase, Watcher};

/// Nobody reads along, and nobody cancels.
pub(crate) struct Silent;

impl Watcher for Silent {
    fn log(&self, _: &[u8]) {}

    fn phase(&self, _: Phase) {}

    fn log_so_far(&self) -> Vec<u8> {
        Vec::new()
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn on_cancel(&self, _: Box<dyn Fn() + Send + Sync>) -> Box<dyn std::any::Any + Send> {
        Box::new(())
    }
}
