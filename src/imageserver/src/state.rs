//! What all methods and pages share.

use std::collections::HashSet;
use std::sync::Arc;

use crate::flags::Options;
use crate::followers::Followers;
use actors::image_index::{EntryState, ImageEntry};
use actors::{Health, ImageIndex, ObjectStore, Replicator, Scrubber, StartReport, System};
use srpc::Access;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Calls of GetObjects at a time; further ones wait (`imageserver.md §4.3`).
pub(crate) const GET_OBJECTS_SLOTS: usize = 100;

/// Pages at a time that decode trees, compare, or look through all references; further ones wait. They run beside the calls of
/// clients, which go before.
const HEAVY_PAGES_MOST: usize = 2;

/// Requests for such pages that wait; further ones are told to come again.
const HEAVY_PAGES_WAITING_MOST: usize = 100;

/// The shared state, cheap to clone.
pub(crate) type Shared = Arc<State>;

/// See the module's text.
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) objects: ObjectStore,
    pub(crate) images: ImageIndex,
    /// How loading went.
    pub(crate) start: StartReport,
    /// The link to the master; a master has none.
    pub(crate) replicator: Option<Replicator>,
    /// Reads everything again from time to time.
    pub(crate) scrubber: Scrubber,
    /// Subscribers of image updates.
    pub(crate) followers: Arc<Followers>,
    get_objects_slots: Semaphore,
    heavy_pages: Arc<Semaphore>,
    heavy_waiting: Semaphore,
}

/// A place among those that may fetch objects. Free when dropped.
pub(crate) struct GetObjectsSlot<'s> {
    _permit: Option<SemaphorePermit<'s>>,
}

/// A place among the pages that take long. Free when dropped.
pub(crate) struct HeavyPlace {
    _permit: OwnedSemaphorePermit,
}

impl HeavyPlace {
    /// Does it away from the threads that answer. `None` if it panicked or the server stops.
    pub(crate) async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        // The place is kept while the work goes on, though the reader may have left.
        let kept = move || {
            let _place = self;
            work()
        };
        tokio::task::spawn_blocking(kept).await.ok()
    }
}

impl State {
    pub(crate) fn new(options: Options, system: &System) -> Shared {
        Arc::new(Self {
            options,
            objects: system.objects.clone(),
            images: system.images.clone(),
            start: system.start_report().clone(),
            replicator: system.replicator.clone(),
            scrubber: system.scrubber.clone(),
            followers: Arc::default(),
            get_objects_slots: Semaphore::new(GET_OBJECTS_SLOTS),
            heavy_pages: Arc::new(Semaphore::new(HEAVY_PAGES_MOST)),
            heavy_waiting: Semaphore::new(HEAVY_PAGES_WAITING_MOST),
        })
    }

    /// How all actors are.
    pub(crate) fn healths(&self) -> Vec<Health> {
        let replicator = self.replicator.as_ref().map(Replicator::health);
        let mut healths = vec![
            self.images.health(),
            self.objects.health(),
            self.scrubber.health(),
        ];
        healths.extend(replicator);
        healths
    }

    /// Why a change has to be made elsewhere; nothing on a master (`imageserver.md §7.4`).
    pub(crate) fn go_to_master(&self) -> Option<String> {
        let master = self.replicator.as_ref()?.upstream();
        Some(format!(
            "cannot make changes while under replication control, go to master: {master}"
        ))
    }

    /// Why nothing may be deleted here, if so.
    pub(crate) fn may_not_delete(&self) -> Option<String> {
        let archive = || {
            self.options
                .archive_mode
                .then(|| "cannot delete: this server is in archive mode".to_owned())
        };
        self.go_to_master().or_else(archive)
    }

    /// `HOST:PORT` of the master; empty on a master.
    pub(crate) fn master(&self) -> String {
        self.replicator
            .as_ref()
            .map_or_else(String::new, |replicator| replicator.upstream().to_owned())
    }

    /// Who may call methods that only read (column U of `imageserver.md §1.1`).
    pub(crate) fn read_access(&self) -> Access {
        Access {
            public: true,
            unauthenticated: self.options.allow_unauthenticated_reads,
        }
    }

    /// Waits for a place to fetch objects.
    pub(crate) async fn get_objects_slot(&self) -> GetObjectsSlot<'_> {
        // The semaphore is never closed; if it were, fetching without a slot would be the smaller evil.
        GetObjectsSlot {
            _permit: self.get_objects_slots.acquire().await.ok(),
        }
    }

    /// A place among the pages that take long, to be taken before a tree is decoded: who waits holds nothing. `None` if too many
    /// wait already, or the server stops.
    pub(crate) async fn heavy_place(&self) -> Option<HeavyPlace> {
        let _waiting = self.heavy_waiting.try_acquire().ok()?;
        let permit = Arc::clone(&self.heavy_pages).acquire_owned().await.ok()?;
        Some(HeavyPlace { _permit: permit })
    }

    /// Does what takes a page long away from the threads that answer, as one of few at a time. `None` as in
    /// [`Self::heavy_place`].
    pub(crate) async fn heavy_page<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.heavy_place().await?.run(work).await
    }

    /// Places in use.
    pub(crate) fn get_objects_running(&self) -> usize {
        GET_OBJECTS_SLOTS - self.get_objects_slots.available_permits()
    }

    /// Damaged images, and objects that are damaged or missing. In place: what is sound costs nothing.
    pub(crate) fn damage_counts(&self) -> (usize, usize) {
        let snapshot = self.images.snapshot();
        let images = snapshot.quarantined.len();
        let missing: HashSet<&hash::Hash> = snapshot
            .quarantined
            .values()
            .flat_map(|entry| entry.missing_objects())
            .collect();
        let damaged = usize::try_from(self.objects.statistics().damaged_objects).unwrap_or(usize::MAX);
        (images, missing.len().saturating_add(damaged))
    }

    /// The link of an image into the information database; empty if none is configured.
    pub(crate) fn information_url(&self, name: &str, entry: &ImageEntry) -> String {
        if self.options.information.is_empty() {
            return String::new();
        }
        let metadata = serde_json::to_value(entry.whole_metadata()).unwrap_or_default();
        self.options.information.expand(name, &metadata)
    }
}

/// Why an image cannot be used, if it cannot.
pub(crate) fn quarantine(entry: &ImageEntry) -> Option<&str> {
    match &entry.state {
        EntryState::Present => None,
        EntryState::Quarantined(reason) => Some(reason),
    }
}
