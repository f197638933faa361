//! Files and icons on their way from a client to the repository: written while they arrive, hashed beside it, never held in
//! memory (imgapi.md §12; for files in several requests `docs/imgapi.md`).
//!
//! Promises: what is refused, or cut off, leaves nothing behind, but for files that come in pieces, of which all that arrived
//! is kept. Nothing is put in its place here: who asked for the upload commits it with its record.

mod digests;
mod fetched;
mod pace;
mod receive;
mod resumed;
mod whole;
mod writer;

pub(crate) use fetched::fetched;
pub(crate) use resumed::{Resumed, resumed};
pub(crate) use whole::whole;

use actors::image_repository::{Slot, Upload};
use repository::digest::Digests;
use repository::{ApiError, Code, Result, Uuid};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::request::Asked;

/// Uploads at a time, at most: each has three threads, some blocks of memory (see [`writer`]) and an open file.
pub(crate) const MAXIMUM_UPLOADS: usize = 256;

static PLACES: Semaphore = Semaphore::const_new(MAXIMUM_UPLOADS);

/// A file that is all there, with its digests; not yet in its place. Dropped, it leaves nothing.
pub(crate) struct Received {
    pub(crate) upload: Upload,
    pub(crate) digests: Digests,
}

/// A place among the uploads, till it is dropped.
///
/// # Errors
/// All are taken: 503.
pub(crate) fn place() -> Result<SemaphorePermit<'static>> {
    PLACES.try_acquire().map_err(|_| {
        let message = format!("{MAXIMUM_UPLOADS} uploads are in progress, try again later");
        ApiError::new(Code::ServiceUnavailable, message)
    })
}

/// How many there are now.
fn in_progress() -> usize {
    MAXIMUM_UPLOADS.saturating_sub(PLACES.available_permits())
}

/// Forgets what was kept of a file that came in pieces: the image has its file for good. What cannot be removed now is
/// removed by the next start.
pub(crate) async fn forget(asked: &Asked, uuid: Uuid) {
    if let Err(error) = asked.state.repository().discard_upload(uuid, Slot::File(0)).await {
        tracing::warn!(%uuid, %error, "what was kept of an upload stays for now");
    }
}
