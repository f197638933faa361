//! Room for staged objects.

use super::{ObjectError, Shared};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Staged objects at most, over all connections. Each is an open file.
const STAGED_OBJECTS: usize = 16_384;

/// Share of the process's open files that may be staged objects: the rest is for connections.
const STAGED_SHARE: u64 = 2;

/// How long a connection waits for room. Those before it need a flush each, which takes a second and not a minute.
const STAGING_WAIT: Duration = Duration::from_secs(60);

/// A place for so many staged objects. To be kept until they are committed.
#[derive(Debug)]
pub struct StagingRoom {
    _permit: OwnedSemaphorePermit,
}

/// Raises the limit of open files as far as an ordinary process may, and sizes the room by it.
pub(crate) fn semaphore() -> Arc<Semaphore> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
    let files = getrlimit(Resource::Nofile)
        .current
        .map_or(usize::MAX, |files| (files / STAGED_SHARE) as usize);
    Arc::new(Semaphore::new(STAGED_OBJECTS.min(files).max(1)))
}

pub(super) async fn room(shared: &Shared, objects: usize) -> Result<StagingRoom, ObjectError> {
    let permits = u32::try_from(objects).map_err(|_| ObjectError::NoStagingRoom)?;
    let acquired = shared.staging_room.clone().acquire_many_owned(permits);
    match tokio::time::timeout(STAGING_WAIT, acquired).await {
        Ok(Ok(permit)) => Ok(StagingRoom { _permit: permit }),
        _ => Err(ObjectError::NoStagingRoom),
    }
}
