//! A watcher that remembers, and can cancel.

use std::any::Any;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use builder::{Phase, Watcher};

type End = Box<dyn Fn() + Send + Sync>;

/// Log and phases; `cancel_at` cancels the build as soon as the log has that text.
#[derive(Default)]
pub(crate) struct Recorder {
    log: Mutex<Vec<u8>>,
    phases: Mutex<Vec<Phase>>,
    cancel_at: Option<&'static str>,
    is_cancelled: AtomicBool,
    ends: Mutex<Vec<End>>,
}

impl Recorder {
    pub(crate) fn cancelling_at(text: &'static str) -> Self {
        Self {
            cancel_at: Some(text),
            ..Self::default()
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap()).into_owned()
    }

    pub(crate) fn phases(&self) -> Vec<Phase> {
        self.phases.lock().unwrap().clone()
    }
}

impl Watcher for Recorder {
    fn log(&self, bytes: &[u8]) {
        self.log.lock().unwrap().extend_from_slice(bytes);
        if self.cancel_at.is_some_and(|text| self.text().contains(text)) {
            self.is_cancelled.store(true, Ordering::SeqCst);
            for end in &*self.ends.lock().unwrap() {
                end();
            }
        }
    }

    fn phase(&self, phase: Phase) {
        self.phases.lock().unwrap().push(phase);
    }

    fn log_so_far(&self) -> Vec<u8> {
        self.log.lock().unwrap().clone()
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::SeqCst)
    }

    fn on_cancel(&self, end: End) -> Box<dyn Any + Send> {
        if self.is_cancelled() {
            end();
        }
        self.ends.lock().unwrap().push(end);
        Box::new(())
    }
}
