//! The queue as the place where a scan puts its objects.

use tokio::runtime::Handle;
use tree_io::error::BoxError;
use tree_io::{Cancel, FoundObject, ObjectSink};

use super::AddQueue;
use crate::fetch::cancellable;

/// For threads outside the runtime; blocks them while too much is in flight.
pub struct QueueSink<'a> {
    /// Where objects go.
    pub queue: &'a AddQueue,
    /// The runtime the queue works in.
    pub runtime: Handle,
    /// Ends waiting for room.
    pub cancel: Cancel,
}

impl ObjectSink for QueueSink<'_> {
    fn put(&self, object: FoundObject) -> Result<(), BoxError> {
        let put = cancellable(&self.cancel, self.queue.add(object));
        self.runtime.block_on(put)?.map_err(Into::into)
    }
}
