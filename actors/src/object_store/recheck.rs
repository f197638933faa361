//! Reading what is stored again, whether anybody asked for it or not: for the scrub.
//!
//! Files are read as they lie on the disk: what the page cache has of them is dropped first. No lease is taken, so that the
//! collector is not held up; what it deletes meanwhile is no damage.

use super::table::Table;
use super::verify::{self, Seen, conclude, damaged, unreadable};
use super::{ObjectError, Shared};
use hash::{Hash, Hasher};
use rustix::fs::{Advice, fadvise};
use std::io::Read;
use storage::{OpenObject, StorageError};

/// Bytes of small objects looked at in one step, which is also the largest that is small. Bounds how uneven a slow rate is.
const STEP_BYTES: u64 = 1 << 20;

/// Objects looked at in one step.
const STEP_OBJECTS: usize = 256;

/// A place in the table: everything before it was looked at. It orders by the first byte of names, so that means the same
/// after a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(super) shard: usize,
    pub(super) slot: usize,
}

impl Place {
    /// Before the objects whose names begin with this byte.
    pub(crate) fn at_first_byte(byte: u8) -> Place {
        Place {
            shard: byte.into(),
            slot: 0,
        }
    }

    /// First byte of the names that come next; `None` at the end.
    pub(crate) fn first_byte(self) -> Option<u8> {
        u8::try_from(self.shard).ok()
    }
}

/// A walk over all objects, step by step.
#[derive(Default)]
pub(crate) struct Recheck {
    next: Place,
    /// Everything before it is done.
    done: Place,
    /// Normally one.
    large: Vec<Large>,
}

/// What a step came to.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// Read.
    pub(crate) bytes: u64,
    /// Objects that are done.
    pub(crate) objects: u64,
    /// Those of them that are damaged.
    pub(crate) damaged: Vec<Hash>,
    /// Those that could not be looked at, for reasons that are not theirs.
    pub(crate) unchecked: u64,
    /// The last of these reasons.
    pub(crate) error: Option<ObjectError>,
}

/// A large object that is read over several steps.
struct Large {
    hash: Hash,
    object: OpenObject,
    seen: Seen,
    hasher: Hasher,
}

impl Recheck {
    pub(crate) fn from(place: Place) -> Recheck {
        Recheck {
            next: place,
            done: place,
            large: Vec::new(),
        }
    }

    /// Everything before it is done.
    pub(crate) fn place(&self) -> Place {
        self.done
    }

    /// Looks at about [`STEP_BYTES`]; `None` at the end. Blocks.
    pub(crate) fn step(&mut self, shared: &Shared) -> Option<Step> {
        let mut step = Step::default();
        if let Some(large) = self.large.pop() {
            self.read_large(shared, large, &mut step);
        } else {
            self.look_at_next(shared, &mut step)?;
        }
        if self.large.is_empty() {
            self.done = self.next;
        }
        Some(step)
    }

    fn look_at_next(&mut self, shared: &Shared, step: &mut Step) -> Option<()> {
        let (hashes, next) = shared.table.objects_from(self.next, STEP_OBJECTS, STEP_BYTES);
        if hashes.is_empty() {
            return None;
        }
        let mut small = Small::default();
        for hash in hashes {
            match open(shared, &hash) {
                // It was deleted since.
                Ok(None) => step.objects += 1,
                Ok(Some((object, seen))) if object.size <= STEP_BYTES => {
                    small.read(shared, hash, object, seen, step);
                }
                Ok(Some((object, seen))) => {
                    let hasher = Hasher::new();
                    self.large.push(Large {
                        hash,
                        object,
                        seen,
                        hasher,
                    });
                }
                Err(error) => step.count(Err(error)),
            }
        }
        small.conclude(shared, step);
        self.next = next;
        Some(())
    }

    fn read_large(&mut self, shared: &Shared, mut large: Large, step: &mut Step) {
        let mut buffer = Vec::new();
        let read = large
            .object
            .file
            .by_ref()
            .take(STEP_BYTES)
            .read_to_end(&mut buffer);
        match read {
            Ok(0) => step.count(conclude(shared, &large.hash, &large.seen, large.hasher.finish())),
            Ok(length) => {
                step.bytes += length as u64;
                large.hasher.update(&buffer);
                self.large.push(large);
            }
            Err(error) => step.count(Err(unreadable(shared, &large.hash, &error))),
        }
    }
}

/// Small objects, hashed together.
#[derive(Default)]
struct Small {
    objects: Vec<(Hash, Seen, Vec<u8>)>,
}

impl Small {
    fn read(&mut self, shared: &Shared, hash: Hash, mut object: OpenObject, seen: Seen, step: &mut Step) {
        let mut content = Vec::with_capacity(usize::try_from(object.size).unwrap_or(0));
        // One byte more than it had when it was opened, if somebody appends to it: then it is not what it should be.
        match object
            .file
            .by_ref()
            .take(object.size + 1)
            .read_to_end(&mut content)
        {
            Ok(length) => {
                step.bytes += length as u64;
                self.objects.push((hash, seen, content));
            }
            Err(error) => step.count(Err(unreadable(shared, &hash, &error))),
        }
    }

    fn conclude(self, shared: &Shared, step: &mut Step) {
        let contents: Vec<&[u8]> = self
            .objects
            .iter()
            .map(|(_, _, content)| content.as_slice())
            .collect();
        for ((hash, seen, _), computed) in self.objects.iter().zip(hash::of_each(&contents)) {
            step.count(conclude(shared, hash, seen, computed));
        }
    }
}

impl Step {
    fn count(&mut self, result: Result<(), ObjectError>) {
        self.objects += 1;
        match result {
            Ok(()) => {}
            Err(ObjectError::Corrupt(hash)) => self.damaged.push(hash),
            Err(error) => {
                self.unchecked += 1;
                self.error = Some(error);
            }
        }
    }
}

/// Opens an object, damaged or not, to be read from the disk. `None` if it is no object any more.
fn open(shared: &Shared, hash: &Hash) -> Result<Option<(OpenObject, Seen)>, ObjectError> {
    let object = match shared.backend.open(hash) {
        Ok(object) => object,
        Err(StorageError::UnknownObject { .. }) => {
            return match shared.table.find(hash) {
                None => Ok(None),
                Some(_) => Err(damaged(shared, hash, verify::FILE_IS_GONE)),
            };
        }
        Err(error) if error.is_damage() => {
            return Err(damaged(shared, hash, &format!("cannot open it: {error}")));
        }
        Err(error) => return Err(error.into()),
    };
    // A hint: without it the check is of what the memory has.
    let _ = fadvise(&object.file, 0, None, Advice::DontNeed);
    let seen = Seen {
        stamp: object.stamp,
        settled: object.stamp.is_settled(shared.file_clock_ns()),
    };
    Ok(Some((object, seen)))
}

impl Table {
    /// Objects from a place on, of one shard: some, or one that is large. And the place after them; none at the end.
    fn objects_from(&self, mut place: Place, limit: usize, bytes: u64) -> (Vec<Hash>, Place) {
        let mut found = Vec::new();
        let mut found_bytes = 0;
        while place.shard < super::table::SHARDS {
            for (slot, hash, size) in self.slots_from(place) {
                let is_full = found.len() >= limit || found_bytes + size > bytes;
                if is_full && !found.is_empty() {
                    return (found, place);
                }
                place.slot = slot + 1;
                found.push(hash);
                found_bytes += size;
            }
            place = Place {
                shard: place.shard + 1,
                slot: 0,
            };
            if !found.is_empty() {
                break;
            }
        }
        (found, place)
    }
}
