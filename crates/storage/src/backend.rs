//! What an object store can do, whatever it lies on.

use crate::{Result, Stamp, StorageError};
use hash::Hash;
use std::fs::File;

pub use crate::local_objects::{Staged, StagingFile};

/// Objects by hash. Implementations are shared by many threads; every call may block.
///
/// Staging is always local (an unnamed temporary file): also a remote store must know the whole object and its hash
/// before it shows it to anybody.
pub trait ObjectBackend: Send + Sync + 'static {
    /// Reports every stored object (`imageserver.md §6.6`), from several threads at once, in no order. What is not a
    /// usable object is told in the report and left alone; leftovers of unfinished writes are removed. A back end may
    /// answer from an index what it can tell to be unchanged.
    fn scan(&self, found: &(dyn Fn(Hash, u64) + Sync)) -> Result<ScanReport>;

    /// Brings the index that speeds the next scan up to date, if this back end has one. Nothing depends on it. Others
    /// may add and delete meanwhile.
    fn save_index(&self) -> Result<()>;

    /// Begins an object of unknown length.
    fn stage(&self) -> Result<StagingFile>;

    /// Writes a whole object to a temporary, hashing it.
    fn stage_bytes(&self, data: &[u8]) -> Result<Staged> {
        let mut staging = self.stage()?;
        staging.write(data)?;
        staging.finish()
    }

    /// Writes a whole object that has its name already to a temporary.
    fn stage_named(&self, object: &Named) -> Result<Staged> {
        self.stage()?.fill(object)
    }

    /// Makes a group of objects durable and visible: one answer for each, in order. See
    /// [`LocalObjects`](crate::LocalObjects) for the order of steps.
    fn commit(&self, batch: Vec<Staged>) -> Vec<Result<Committed>>;

    /// Opens a stored object. `UnknownObject` if there is none.
    fn open(&self, hash: &Hash) -> Result<OpenObject>;

    /// Removes an object; one that is gone already is no error. Not flushed: an unreferenced object that comes back
    /// after a crash is found by the next scan.
    fn delete(&self, hash: &Hash) -> Result<()>;

    /// Room of the file system.
    fn space(&self) -> Result<Space>;

    /// What the clock says by which files are stamped, nanoseconds since 1970: see [`Stamp::is_settled`].
    fn clock_ns(&self) -> Result<i64>;
}

/// An object in memory with its name. Only made by computing it, so that nothing can be stored under a wrong name.
#[derive(Debug, Clone)]
pub struct Named {
    data: Vec<u8>,
    hash: Hash,
}

impl Named {
    /// Computes the names of `contents`, all at once, which takes a third of the time where the machine can.
    pub fn each(contents: Vec<Vec<u8>>) -> Vec<Named> {
        let slices: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let names = hash::of_each(&slices);
        let named = |(data, hash)| Named { data, hash };
        contents.into_iter().zip(names).map(named).collect()
    }

    /// Its name.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Its bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Its bytes, without its name.
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }
}

/// An object that was asked to be stored, and is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Its name.
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
    /// False if it was there already (and its content was found to be right).
    pub newly_added: bool,
    /// True if a damaged file of that name was replaced; `newly_added` is true as well then.
    pub repaired: bool,
    /// The file as it was when its content was known to be right.
    pub stamp: Stamp,
}

/// An object open for reading. Its content has not been verified.
#[derive(Debug)]
pub struct OpenObject {
    /// Positioned at the start.
    pub file: File,
    /// Bytes.
    pub size: u64,
    /// The file as opened.
    pub stamp: Stamp,
}

/// What a scan met.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// Usable objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those of the objects whose directories were not read, since the index knows them.
    pub from_index: u64,
    /// What the index was good for.
    pub index: IndexUse,
    /// Names of temporaries that were removed.
    pub temporaries_removed: u64,
    /// Zero-length files: damage the original leaves after a power cut. Adding the object again repairs it.
    pub empty: Vec<String>,
    /// Files whose place does not spell a hash, at most [`ScanReport::MAX_NAMES`] of them.
    pub misnamed: Vec<String>,
    /// Directories or files that could not be read, at most [`ScanReport::MAX_NAMES`] of them.
    pub failed: Vec<StorageError>,
}

/// What an index was good for at the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IndexUse {
    /// There was none.
    #[default]
    Absent,
    /// It was believed as far as the stamps agree.
    Used,
    /// It was not believed, for this reason. Everything was read from the files.
    Refused(String),
}

impl ScanReport {
    /// Each list of names ends after that many entries, lest a foreign tree fill the memory.
    pub const MAX_NAMES: usize = 1000;
}

/// Room of a file system as ordinary users see it (`imageserver.md §6.8`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// Bytes, without the reservation for root.
    pub capacity_bytes: u64,
    /// Bytes ordinary users may still write.
    pub free_bytes: u64,
}

impl Space {
    /// Whole percent in use.
    pub fn utilisation_percent(&self) -> u64 {
        if self.capacity_bytes == 0 {
            return 0;
        }
        let used = self.capacity_bytes.saturating_sub(self.free_bytes);
        (u128::from(used) * 100 / u128::from(self.capacity_bytes)) as u64
    }
}
