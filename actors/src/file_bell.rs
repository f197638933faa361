//! Being woken when something happens in directories.

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// So long nothing happens before files are read: who writes one does so in several steps.
const QUIET: Duration = Duration::from_millis(20);

/// Waits for quiet at most so often: a directory in which something always happens is looked at all the same.
const QUIET_WAITS: usize = 10;

/// Rings when something happened in the directories that are followed, or somebody asked.
pub struct FileBell {
    bell: Notify,
    followed: Mutex<BTreeSet<PathBuf>>,
    watcher: Mutex<Option<RecommendedWatcher>>,
}

impl FileBell {
    /// Without the means of the kernel it rings only when asked; who waits looks now and then all the same.
    pub fn new() -> Arc<FileBell> {
        let bell = Arc::new(FileBell {
            bell: Notify::new(),
            followed: Mutex::default(),
            watcher: Mutex::new(None),
        });
        let told = Arc::downgrade(&bell);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Some(bell) = told.upgrade()
                && is_change(&event)
            {
                bell.ring();
            }
        });
        match watcher {
            Ok(watcher) => *bell.watcher.lock() = Some(watcher),
            Err(error) => {
                tracing::warn!(
                    "changes of files are seen late, since the kernel does not tell them: {error}"
                );
            }
        }
        bell
    }

    /// Wakes who waits, or lets it not fall asleep.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until something happened and it is quiet again, or the time is up.
    pub async fn wait(&self, most: Duration) {
        if tokio::time::timeout(most, self.bell.notified()).await.is_err() {
            return;
        }
        for _ in 0..QUIET_WAITS {
            if tokio::time::timeout(QUIET, self.bell.notified()).await.is_err() {
                return;
            }
        }
    }

    /// Follows these directories and no others. Of one that is not there the nearest one above it is followed, so that its making is seen.
    /// To be said again at each look: a directory may come later, or be another.
    pub fn follow<'a>(&self, directories: impl IntoIterator<Item = &'a Path>) {
        let wanted: BTreeSet<PathBuf> = directories
            .into_iter()
            .filter_map(|directory| directory.ancestors().find(|above| above.is_dir()))
            .map(Path::to_owned)
            .collect();
        let before = std::mem::replace(&mut *self.followed.lock(), wanted.clone());
        let mut watcher = self.watcher.lock();
        let Some(watcher) = watcher.as_mut() else { return };
        for unused in before.difference(&wanted) {
            // It may be gone already, and the watch with it.
            let _ = watcher.unwatch(unused);
        }
        for directory in &wanted {
            if let Err(error) = watcher.watch(directory, RecursiveMode::NonRecursive) {
                tracing::debug!("{}: {error}", directory.display());
            }
        }
    }
}

/// Reading is none, else each look would be the reason of the next. What cannot be told may be one.
fn is_change(event: &notify::Result<notify::Event>) -> bool {
    let Ok(event) = event else { return true };
    match event.kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}
