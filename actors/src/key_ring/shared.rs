//! What outlives an incarnation of the actor: the table, and what it was made from.

use super::KeyRingProblem;
use super::read::{self, Found, Texts};
use crate::file_watcher::{FileWatch, Watched};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use repository::configuration::{AuthType, Settings};
use repository::json::Object;
use repository::signature::KeyTable;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) struct Shared {
    base: PathBuf,
    settings: Arc<ArcSwap<Settings>>,
    pub(super) table: ArcSwap<KeyTable>,
    pub(super) problems: ArcSwap<Vec<KeyRingProblem>>,
    watch: FileWatch,
    seen: Mutex<Option<Seen>>,
    /// What counts of each file.
    texts: Mutex<Texts>,
}

/// What the table was made from, if all of it could be read.
#[derive(PartialEq)]
struct Seen {
    configured: Object,
    files: Vec<Found>,
}

impl Shared {
    /// Reads what there is. Blocks. What is wrong with keys and files is told, and is no error.
    pub(crate) fn load(
        base: &Path,
        settings: Arc<ArcSwap<Settings>>,
        allow_debug_panic: bool,
    ) -> std::io::Result<Shared> {
        let shared = Shared {
            base: base.to_owned(),
            settings,
            table: ArcSwap::default(),
            problems: ArcSwap::default(),
            watch: FileWatch::new("keys", allow_debug_panic)?,
            seen: Mutex::default(),
            texts: Mutex::default(),
        };
        shared.look_at(true);
        Ok(shared)
    }

    /// Reads all files if one of them, or the keys of the configuration, is another than before, or if somebody asked. Blocks.
    fn look_at(&self, is_asked: bool) {
        let settings = self.settings.load_full();
        // Nobody signs, so nobody's key is asked for (imgapi-operations.md §4, "Only").
        if settings.auth_type != AuthType::Signature {
            return;
        }
        // Before the files are listed: what happens after the listing rings again.
        let directories = read::directories(&self.base);
        self.watch.follow(directories.iter().map(PathBuf::as_path));
        let mut listing = read::find(&self.base);
        let now = Some(Seen {
            configured: settings.auth_keys.clone(),
            files: listing.files.clone(),
        });
        if listing.problems.is_empty() && !is_asked && *self.seen.lock() == now {
            return;
        }
        let mut texts = self.texts.lock();
        let reading = read::read_all(&settings.auth_keys, &listing, &texts);
        *texts = reading.texts;
        drop(texts);
        let mut problems = std::mem::take(&mut listing.problems);
        problems.extend(reading.unread);
        let is_whole = problems.is_empty();
        *self.seen.lock() = now.filter(|_| is_whole);
        self.publish(reading.table);
        problems.extend(reading.problems);
        self.tell(problems);
    }

    fn publish(&self, table: KeyTable) {
        let count = |table: &KeyTable| {
            let keys: usize = table.users().map(|(_, keys)| keys.len()).sum();
            (keys, table.users().count())
        };
        let (keys, users) = count(&table);
        metrics::gauge!("imgapi_auth_keys").set(keys as f64);
        if (keys, users) != count(&self.table.load()) {
            tracing::info!("keys: {keys} of {users} users");
        }
        self.table.store(Arc::new(table));
    }

    /// Says what is new.
    fn tell(&self, problems: Vec<KeyRingProblem>) {
        let before = self.problems.load();
        for problem in problems.iter().filter(|problem| !before.contains(problem)) {
            tracing::warn!("keys: {problem}");
        }
        metrics::gauge!("imgapi_auth_key_problems").set(problems.len() as f64);
        self.problems.store(Arc::new(problems));
    }
}

impl Watched for Shared {
    const NAME: &'static str = "KeyRing";

    fn watch(&self) -> &FileWatch {
        &self.watch
    }

    fn look(&self, is_asked: bool) {
        self.look_at(is_asked);
    }
}
