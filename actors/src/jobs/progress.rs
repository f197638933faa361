//! How far a job at work is. In memory only: what is done is in the job's results.

use parking_lot::Mutex;

/// How far a job at work is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// Name of the step; empty before the first.
    pub step: String,
    /// Bytes that are done in this step.
    pub done_bytes: u64,
    /// Bytes that are to be done, where they are known.
    pub total_bytes: Option<u64>,
}

/// Written by the body, read by who looks.
#[derive(Default)]
pub(super) struct Progress(Mutex<JobProgress>);

impl Progress {
    pub(super) fn begin(&self, step: &str) {
        *self.0.lock() = JobProgress {
            step: step.to_owned(),
            ..JobProgress::default()
        };
    }

    pub(super) fn set(&self, done_bytes: u64, total_bytes: Option<u64>) {
        let mut state = self.0.lock();
        state.done_bytes = done_bytes;
        state.total_bytes = total_bytes;
    }

    pub(super) fn state(&self) -> JobProgress {
        self.0.lock().clone()
    }
}
