//! Jobs of the actor on the pool, counted: an actor that comes back waits for those of its predecessor, and stopping
//! waits for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

#[derive(Clone, Default)]
pub(crate) struct Jobs {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    running: AtomicUsize,
    ended: Notify,
}

/// One job, from before it is queued until its work has ended.
pub(crate) struct Job(Arc<Inner>);

impl Jobs {
    pub(crate) fn begin(&self) -> Job {
        self.inner.running.fetch_add(1, Ordering::AcqRel);
        Job(self.inner.clone())
    }

    pub(crate) fn running(&self) -> usize {
        self.inner.running.load(Ordering::Acquire)
    }

    /// Returns when none is running.
    pub(crate) async fn all_ended(&self) {
        loop {
            let ended = self.inner.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.inner.running.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
        self.0.ended.notify_waiters();
    }
}
