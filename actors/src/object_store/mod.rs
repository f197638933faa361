//! The object store: which objects there are, who needs them, how they come, go and are read.
//!
//! The table of objects is sharded and read in place. Bytes go from a connection into a staged file
//! ([`storage::Staged`]) without passing the actor; only the handle of that file travels, and what many connections have
//! staged is made durable by one flush. The actor itself decides what the single disk writer does next: a group of
//! commits, or a slice of a deletion.

mod actor;
mod buffers;
mod collect;
mod commit;
mod damage;
mod delete;
mod error;
mod file_clock;
mod lease;
mod ledger;
mod read;
mod reader;
mod recheck;
mod slot;
mod staging;
mod statistics;
mod survey;
mod table;
mod table_walk;
mod totals;
mod unreferenced;
mod verify;

pub(crate) use actor::{NAME, ObjectStoreActor, PublishedObjects};
pub(crate) use damage::{Damage, Damages};
pub use error::ObjectError;
pub use lease::Lease;
pub(crate) use ledger::{Ledger, References, Ticket};
pub use read::VerifiedObject;
pub use reader::ObjectsReader;
pub(crate) use recheck::{Place, Recheck};
pub(crate) use staging::Staging;
pub use staging::StagingRoom;
pub use statistics::ObjectStatistics;
pub use survey::{SizeClass, Survey, SurveyedObject};
pub(crate) use table::{ObjectId, Table};

use crate::handle::{Handle, Health};
use crate::pool::Pool;
use crate::{CallError, CollectorLimits};
use hash::Hash;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;
use storage::{Committed, ObjectBackend, Space, Staged};

/// The object store's handle. Clones are cheap.
#[derive(Clone)]
pub struct ObjectStore {
    pub(crate) shared: Arc<Shared>,
    pub(crate) actor: Handle<ObjectStoreActor>,
}

/// What outlives an incarnation of the actor.
pub(crate) struct Shared {
    pub(crate) backend: Arc<dyn ObjectBackend>,
    pub(crate) table: Arc<Table>,
    pub(crate) ledger: Arc<Ledger>,
    /// Reads, verification, space.
    pub(crate) read_pool: Pool,
    pub(crate) buffers: Arc<buffers::Buffers>,
    /// One thread: commits and deletions take turns, so a deletion cannot meet a commit of the same object.
    pub(crate) writer: Pool,
    pub(crate) staging: Staging,
    pub(crate) lease: Duration,
    pub(crate) collector: CollectorLimits,
    pub(crate) space: Mutex<Space>,
    /// Images whose objects are not known because they cannot be decoded: nothing is collected meanwhile.
    pub(crate) unknown_images: AtomicUsize,
    /// Jobs in the writer's hands, over all incarnations.
    pub(crate) writing: AtomicUsize,
    /// Objects found damaged since the start.
    pub(crate) corrupt_found: AtomicU64,
    pub(crate) damages: Damages,
    pub(crate) file_clock: file_clock::FileClock,
    pub(crate) allow_debug_panic: bool,
}

impl ObjectStore {
    /// A lease for one connection: what it adds, and what it asks for with [`sizes`](Self::sizes), is not collected
    /// until the lease is dropped and the configured time has passed.
    pub fn lease(&self) -> Lease {
        Lease::new(self.shared.table.clone(), self.shared.lease)
    }

    /// Sizes in bytes, 0 for what is absent, damaged or being deleted (`imageserver.md §4.2`). In place: never waits
    /// for the disk. Takes about 0.2 µs an object, with a lease about twice that.
    pub fn sizes(&self, hashes: &[Hash], lease: Option<&Lease>) -> Vec<u64> {
        hashes
            .iter()
            .map(|hash| self.shared.table.size(hash, lease))
            .collect()
    }

    /// Where staged objects are made. All its calls block.
    pub fn backend(&self) -> &Arc<dyn ObjectBackend> {
        &self.shared.backend
    }

    /// Objects that are to be staged together at most: a share of the files this process may open.
    pub fn staging_batch_objects(&self) -> usize {
        self.shared.staging.batch_objects()
    }

    /// Room for so many staged objects, to be had before staging them and kept until they are committed: each is an
    /// open file. Waits for its turn, for a minute at most, then `Busy`.
    pub async fn staging_room(&self, objects: usize) -> Result<StagingRoom, ObjectError> {
        staging::room(&self.shared, objects).await
    }

    /// Makes staged objects durable and present, together with what others commit meanwhile; one answer for each, in
    /// order. The lease protects them from then on.
    pub async fn commit(&self, staged: Vec<Staged>, lease: &Lease) -> Vec<Result<Committed, ObjectError>> {
        let count = staged.len();
        if count == 0 {
            return Vec::new();
        }
        let request = commit::Commit {
            staged,
            lease: lease.share(),
        };
        match self.actor.call(request).await {
            Ok(outcomes) => outcomes,
            Err(error) => (0..count).map(|_| Err(error.clone().into())).collect(),
        }
    }

    /// Stages and commits one object that is in memory.
    pub async fn add(&self, data: bytes::Bytes, lease: &Lease) -> Result<Committed, ObjectError> {
        let room = self.staging_room(1).await?;
        let backend = self.shared.backend.clone();
        let staged = self
            .shared
            .read_pool
            .run(move || backend.stage_bytes(&data))
            .await??;
        let outcome = self.commit(vec![staged], lease).await.pop();
        drop(room);
        outcome.unwrap_or(Err(ObjectError::Call(CallError::Stopped { actor: NAME })))
    }

    /// Blocks. Makes sure that a stored object is what its name says: at once if it was found to be so since the start
    /// and has not been touched, else by reading it.
    pub fn verify(&self, hash: &Hash) -> Result<(), ObjectError> {
        verify::verify(&self.shared, hash)
    }

    /// Opens an object whose bytes are what its name says, or an error. See [`VerifiedObject`].
    pub async fn open_verified(&self, hash: &Hash) -> Result<VerifiedObject, ObjectError> {
        read::open(&self.shared, *hash).await
    }

    /// The contents of many objects back to back (`imageserver.md §4.3`). Fails before anything is read with
    /// `unknown object: HEX` or `first of N unknown objects: HEX`. They are not collected as long as the reader lives.
    pub fn read_objects(&self, hashes: Vec<Hash>) -> Result<ObjectsReader, ObjectError> {
        ObjectsReader::new(self.shared.clone(), hashes)
    }

    /// Objects that no image needs with their sizes in bytes, those unreferenced longest first. Runs on a pool: there may
    /// be millions.
    pub async fn unreferenced(&self) -> Result<Vec<(Hash, u64)>, ObjectError> {
        let table = self.shared.table.clone();
        Ok(self.shared.read_pool.run(move || table.unreferenced()).await?)
    }

    /// Deletes objects that no image needs, longest unreferenced first, until at least `bytes` bytes and `percentage`
    /// percent of their number are gone (`imageserver.md §3.8`). `no more objects to delete` if they run out; those
    /// under a lease are skipped.
    pub async fn delete_unreferenced(&self, percentage: u8, bytes: u64) -> Result<(), ObjectError> {
        self.actor
            .call(delete::DeleteUnreferenced { percentage, bytes })
            .await?
    }

    /// What is stored, by size and by how often images need it, with the `most` most shared and largest objects. Looks at every
    /// object, on a pool: a million take some 20 ms.
    pub async fn survey(&self, most: usize) -> Result<Survey, ObjectError> {
        let table = self.shared.table.clone();
        Ok(self
            .shared
            .read_pool
            .run(move || survey::survey(&table, most))
            .await?)
    }

    /// Figures. In place; the room of the file system is at most a second old.
    pub fn statistics(&self) -> ObjectStatistics {
        ObjectStatistics::of(&self.shared)
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        self.actor.health()
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(actor::DebugPanic).await
    }
}
