//! Images that come from our own clients and go to the upstream first (`imageserver.md §3.2`).
//!
//! The upstream announces such an image before our own add of it has ended. Whoever works off that announcement waits:
//! then the image is here, or the add failed and it must be fetched after all. (The original forgets the announcement, and
//! with it an image whose own add failed.)

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long an announcement waits for an injection. One takes seconds; a client that is stuck must not hold up the others.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

#[derive(Default, Clone)]
pub(super) struct Injections {
    running: Arc<Mutex<HashMap<Arc<str>, Running>>>,
}

struct Running {
    /// Several clients may try the same name.
    count: usize,
    ended: watch::Sender<()>,
}

/// An injection in progress. Ends when it is dropped.
pub struct Injection {
    injections: Injections,
    name: Arc<str>,
}

impl Injections {
    pub(super) fn begin(&self, name: &str) -> Injection {
        let name: Arc<str> = name.into();
        self.running
            .lock()
            .entry(name.clone())
            .or_insert_with(|| Running {
                count: 0,
                ended: watch::Sender::new(()),
            })
            .count += 1;
        Injection {
            injections: self.clone(),
            name,
        }
    }

    /// Names of those in progress.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.running.lock().keys().cloned().collect()
    }

    /// Returns true when no injection of this name is in progress, and false if that takes too long.
    pub(super) async fn wait(&self, name: &str) -> bool {
        let Some(mut ended) = self
            .running
            .lock()
            .get(name)
            .map(|running| running.ended.subscribe())
        else {
            return true;
        };
        // The sender is dropped with the last injection, which is what ends the wait.
        tokio::time::timeout(LONGEST_WAIT, ended.changed()).await.is_ok()
    }
}

impl Drop for Injection {
    fn drop(&mut self) {
        let mut running = self.injections.running.lock();
        if let Some(entry) = running.get_mut(&self.name) {
            entry.count -= 1;
            if entry.count == 0 {
                running.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_announcement_waits_for_the_last_injection_of_its_name() {
        let injections = Injections::default();
        let (first, second) = (injections.begin("image"), injections.begin("image"));
        assert!(injections.wait("other").await);
        let mut waiting = Box::pin(injections.wait("image"));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(first);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(second);
        assert!(waiting.await);
        assert!(injections.wait("image").await);
        assert!(injections.names().is_empty());
    }
}
