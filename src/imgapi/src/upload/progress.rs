//! How much of a file is written, for the thread that computes its digests behind the writer.

use parking_lot::{Condvar, Mutex};

/// Told by the writer, waited for by the hashing thread.
pub(crate) struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Bytes.
    written: u64,
    is_over: bool,
}

impl Progress {
    /// So many bytes are there already.
    pub(crate) fn at(written: u64) -> Self {
        Self {
            state: Mutex::new(State {
                written,
                is_over: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// So many are there now.
    pub(crate) fn reach(&self, written: u64) {
        self.state.lock().written = written;
        self.changed.notify_one();
    }

    /// No more will come.
    pub(crate) fn end(&self) {
        self.state.lock().is_over = true;
        self.changed.notify_one();
    }

    /// Waits until more than `seen` bytes are there and says how many; `None`: there will never be more. The writer ends it
    /// whatever happens to it, so this is no wait without end.
    pub(crate) fn beyond(&self, seen: u64) -> Option<u64> {
        let mut state = self.state.lock();
        while state.written <= seen && !state.is_over {
            self.changed.wait(&mut state);
        }
        (state.written > seen).then_some(state.written)
    }
}
