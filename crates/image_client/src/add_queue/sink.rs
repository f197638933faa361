//! The queue as the place where a scan puts its objects.

use tokio::runtime::Handle;
use tree_io::error::BoxError;
use tree_io::{FoundObject, ObjectSink};

use super::AddQueue;

/// For threads outside the runtime; blocks them while too much is in flight.
pub struct QueueSink<'a> {
    /// Where objects go.
    pub queue: &'a AddQueue,
    /// The runtime the queue works in.
    pub runtime: Handle,
}

impl ObjectSink for QueueSink<'_> {
    fn put(&self, object: FoundObject) -> Result<(), BoxError> {
        self.runtime.block_on(self.queue.add(object)).map_err(Into::into)
    }
}
