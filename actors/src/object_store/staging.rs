//! Room for staged objects.

use super::{ObjectError, Shared};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Staged objects at most, over all connections. Each is an open file.
const STAGED_OBJECTS: usize = 16_384;

/// Open files that are not to be had for staged objects: event queues, listeners, directories, logs (about 40 with two
/// processors) and a few connections; further ones for each processor.
const RESERVED_FILES: u64 = 32;
const RESERVED_FILES_PER_PROCESSOR: u64 = 8;

/// Share of the other open files that may be staged objects: the rest is for connections.
const STAGED_SHARE: u64 = 2;

/// Batches for which there is room at a time at least: the larger ones are, the longer one waits for the other.
const BATCHES: usize = 4;

/// How long a connection waits for room. Those before it need a flush each, which takes a second and not a minute.
const STAGING_WAIT: Duration = Duration::from_secs(60);

/// A place for so many staged objects. To be kept until they are committed.
#[derive(Debug)]
pub struct StagingRoom {
    _permit: OwnedSemaphorePermit,
}

/// All places.
pub(crate) struct Staging {
    places: Arc<Semaphore>,
    total: usize,
}

impl Staging {
    /// Raises the limit of open files as far as an ordinary process may, and sizes the room by it.
    pub(crate) fn new() -> Staging {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                maximum: limit.maximum,
            },
        );
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
        let reserved = RESERVED_FILES + RESERVED_FILES_PER_PROCESSOR * processors;
        let places = getrlimit(Resource::Nofile)
            .current
            .map_or(u64::MAX, |files| files.saturating_sub(reserved) / STAGED_SHARE);
        // At least one: a process with so few files may fail now and then, but must not wait for ever.
        let total = usize::try_from(places)
            .unwrap_or(usize::MAX)
            .clamp(1, STAGED_OBJECTS);
        Staging {
            places: Arc::new(Semaphore::new(total)),
            total,
        }
    }

    /// Objects that may be staged together.
    pub(super) fn batch_objects(&self) -> usize {
        (self.total / BATCHES).max(1)
    }
}

pub(super) async fn room(shared: &Shared, objects: usize) -> Result<StagingRoom, ObjectError> {
    let staging = &shared.staging;
    // More than there is would be waited for in vain.
    let permits = u32::try_from(objects.min(staging.total)).map_err(|_| ObjectError::NoStagingRoom)?;
    let acquired = staging.places.clone().acquire_many_owned(permits);
    match tokio::time::timeout(STAGING_WAIT, acquired).await {
        Ok(Ok(permit)) => Ok(StagingRoom { _permit: permit }),
        _ => Err(ObjectError::NoStagingRoom),
    }
}
