//! Being told of changes by the kernel.

use super::kind::Kind;
use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Notify;

/// Wakes who looks at a text, when something happened in its directory or somebody asked.
pub(super) struct Wakes {
    bells: [Notify; 3],
    /// Where the texts are that are files of this host: the directories of their names, and of what the names lead to.
    directories: Mutex<[BTreeSet<PathBuf>; 3]>,
    watcher: Mutex<Option<RecommendedWatcher>>,
}

impl Wakes {
    /// Without the means of the kernel it wakes only who is asked to be woken, and files are looked at now and then.
    pub(super) fn new() -> Arc<Wakes> {
        let wakes = Arc::new(Wakes {
            bells: Default::default(),
            directories: Mutex::default(),
            watcher: Mutex::new(None),
        });
        let told = Arc::downgrade(&wakes);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Some(wakes) = told.upgrade() {
                wakes.take(event);
            }
        });
        match watcher {
            Ok(watcher) => *wakes.watcher.lock() = Some(watcher),
            Err(error) => {
                tracing::warn!(
                    "changes of configuration files are seen late, since the kernel does not tell them: {error}"
                );
            }
        }
        wakes
    }

    /// Waits until something happened, or might have.
    pub(super) async fn wait(&self, kind: Kind) {
        self.bells[kind as usize].notified().await;
    }

    /// Wakes who looks at a text, or lets it not fall asleep.
    pub(super) fn ring(&self, kind: Kind) {
        self.bells[kind as usize].notify_one();
    }

    /// From now on a text is this file, or none of this host. To be said again from time to time: a directory may come later, or be another.
    pub(super) fn follow(&self, kind: Kind, file: Option<&Path>) {
        let mut directories = BTreeSet::new();
        if let Some(file) = file {
            let target = std::fs::canonicalize(file).ok();
            for path in [Some(file), target.as_deref()].into_iter().flatten() {
                directories.extend(path.parent().map(Path::to_owned));
            }
        }
        let unused: Vec<PathBuf> = {
            let mut all = self.directories.lock();
            let before = std::mem::replace(&mut all[kind as usize], directories.clone());
            let is_unused = |directory: &PathBuf| !all.iter().any(|used| used.contains(directory));
            before.into_iter().filter(is_unused).collect()
        };
        let mut watcher = self.watcher.lock();
        let Some(watcher) = watcher.as_mut() else {
            return;
        };
        for directory in unused {
            // It may be gone already, and the watch with it.
            let _ = watcher.unwatch(&directory);
        }
        for directory in directories {
            if let Err(error) = watcher.watch(&directory, RecursiveMode::NonRecursive) {
                tracing::debug!("{}: {error}", directory.display());
            }
        }
    }

    fn take(&self, event: notify::Result<notify::Event>) {
        let Ok(event) = event else {
            // Events were lost: anything may have happened.
            Kind::ALL.into_iter().for_each(|kind| self.ring(kind));
            return;
        };
        if let EventKind::Access(access) = event.kind
            && access != AccessKind::Close(AccessMode::Write)
        {
            return;
        }
        let directories = self.directories.lock();
        for kind in Kind::ALL {
            let concerned = |path: &PathBuf| {
                let used = &directories[kind as usize];
                used.contains(path) || path.parent().is_some_and(|parent| used.contains(parent))
            };
            if event.need_rescan() && !directories[kind as usize].is_empty()
                || event.paths.iter().any(concerned)
            {
                self.ring(kind);
            }
        }
    }
}
