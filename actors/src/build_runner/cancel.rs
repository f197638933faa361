//! Ending a build before its time.

use parking_lot::Mutex;
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch;

type End = Arc<dyn Fn() + Send + Sync>;

/// Whether a build is to end, and who is to be told.
#[derive(Default)]
pub(crate) struct Cancellation {
    inner: Mutex<Inner>,
    changed: watch::Sender<bool>,
}

#[derive(Default)]
struct Inner {
    reason: Option<String>,
    ends: HashMap<u64, End>,
    next: u64,
}

impl Cancellation {
    /// Cancels, once: false if it was already. What is to be told is told outside of the lock, so that it may ask back.
    pub(crate) fn cancel(&self, reason: String) -> bool {
        let ends: Vec<End> = {
            let mut inner = self.inner.lock();
            if inner.reason.is_some() {
                return false;
            }
            inner.reason = Some(reason);
            inner.ends.drain().map(|(_, end)| end).collect()
        };
        self.changed.send_replace(true);
        for end in ends {
            end();
        }
        true
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.inner.lock().reason.is_some()
    }

    pub(crate) fn reason(&self) -> Option<String> {
        self.inner.lock().reason.clone()
    }

    /// Returns once it is cancelled.
    pub(crate) async fn cancelled(&self) {
        let mut changed = self.changed.subscribe();
        // The sender lives in what we hold.
        let _ = changed.wait_for(|is_cancelled| *is_cancelled).await;
    }

    /// See [`builder::Watcher::on_cancel`].
    pub(super) fn on_cancel(self: &Arc<Self>, end: Box<dyn Fn() + Send + Sync>) -> Box<dyn Any + Send> {
        let number = {
            let mut inner = self.inner.lock();
            if inner.reason.is_none() {
                let number = inner.next;
                inner.next += 1;
                inner.ends.insert(number, end.into());
                Some(number)
            } else {
                drop(inner);
                end();
                None
            }
        };
        Box::new(Withdraw {
            cancellation: self.clone(),
            number,
        })
    }
}

/// Forgets whom to tell.
struct Withdraw {
    cancellation: Arc<Cancellation>,
    number: Option<u64>,
}

impl Drop for Withdraw {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.cancellation.inner.lock().ends.remove(&number);
        }
    }
}
