//! Stands between a build and its watcher: ends the build also for reasons of the workshop's own.

use std::any::Any;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::failure::Failure;
use crate::{Phase, Watcher};

type End = Arc<dyn Fn() + Send + Sync>;

/// What the steps of a build see as their watcher.
pub(crate) struct Overseer {
    watcher: Arc<dyn Watcher>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Why the build is to end, if it is not because somebody asked.
    reason: Option<String>,
    phase: Option<Phase>,
    ends: Vec<(u64, End)>,
    next: u64,
}

impl Overseer {
    pub(crate) fn new(watcher: Arc<dyn Watcher>) -> Arc<Overseer> {
        Arc::new(Overseer {
            watcher,
            state: Arc::default(),
        })
    }

    /// Ends the build, which then fails for this reason.
    pub(crate) fn stop(&self, reason: String) {
        let mut state = self.state.lock();
        if state.reason.is_some() {
            return;
        }
        state.reason = Some(reason);
        let ends: Vec<End> = state.ends.iter().map(|(_, end)| Arc::clone(end)).collect();
        drop(state);
        for end in ends {
            end();
        }
    }

    /// The phase the build is in.
    pub(crate) fn present_phase(&self) -> Option<Phase> {
        self.state.lock().phase
    }

    /// A line for the build log.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        self.watcher.log(format!("{}\n", line.as_ref()).as_bytes());
    }

    /// Fails once the build is to end.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.is_cancelled() {
            Err(Failure::cancelled())
        } else {
            Ok(())
        }
    }

    /// A build that was ended for a reason of ours fails with that.
    pub(crate) fn explained(&self, failure: Failure) -> Failure {
        match &self.state.lock().reason {
            Some(reason) => Failure::new(reason.clone()),
            None => failure,
        }
    }
}

impl Watcher for Overseer {
    fn log(&self, bytes: &[u8]) {
        self.watcher.log(bytes);
    }

    fn phase(&self, phase: Phase) {
        self.state.lock().phase = Some(phase);
        self.watcher.phase(phase);
    }

    fn log_so_far(&self) -> Vec<u8> {
        self.watcher.log_so_far()
    }

    fn is_cancelled(&self) -> bool {
        self.state.lock().reason.is_some() || self.watcher.is_cancelled()
    }

    fn on_cancel(&self, end: Box<dyn Fn() + Send + Sync>) -> Box<dyn Any + Send> {
        let end: End = Arc::from(end);
        let asked = Arc::clone(&end);
        let outer = self.watcher.on_cancel(Box::new(move || asked()));
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        state.ends.push((number, Arc::clone(&end)));
        let is_stopped = state.reason.is_some();
        drop(state);
        if is_stopped {
            end();
        }
        Box::new(Registered {
            _outer: outer,
            state: Arc::downgrade(&self.state),
            number,
        })
    }
}

struct Registered {
    _outer: Box<dyn Any + Send>,
    state: Weak<Mutex<State>>,
    number: u64,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(state) = self.state.upgrade() {
            state.lock().ends.retain(|(number, _)| *number != self.number);
        }
    }
}
