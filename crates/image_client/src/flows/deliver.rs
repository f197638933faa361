//! Something that produces objects, and a queue that takes them.

use tokio::runtime::Handle;
use tree_io::{Cancel, ObjectSink};

use crate::add_queue::{AddQueue, AddReport, Connections, QueueSink};
use crate::error::Error;
use crate::fetch::cancellable;

/// Runs `produce` (a scan, reading an archive) on a thread of its own, with the queue as its sink, and waits until all is with the
/// server.
///
/// # Errors
/// Of the two that can fail, the one that failed first: a scan whose sink stopped has the sink's error. After a cancellation
/// `interrupted`.
pub async fn deliver<T: Send + 'static>(
    queue: AddQueue,
    cancel: Cancel,
    produce: impl FnOnce(&dyn ObjectSink) -> Result<T, tree_io::Error> + Send + 'static,
) -> Result<(T, AddReport, Connections), Error> {
    let (runtime, stop) = (Handle::current(), cancel.clone());
    let work = move || {
        let produced = produce(&QueueSink {
            queue: &queue,
            runtime,
            cancel,
        });
        (produced, queue)
    };
    let (produced, queue) = tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::TaskDied)?;
    let value = match produced {
        Ok(value) => value,
        Err(tree_io::Error::Sink(_)) if stop.is_cancelled() => return Err(tree_io::Error::Cancelled.into()),
        Err(tree_io::Error::Sink(error)) => {
            // The queue stopped taking: its own error is the reason.
            return match queue.finish().await {
                Err(reason) => Err(reason),
                Ok(_) => Err(tree_io::Error::Sink(error).into()),
            };
        }
        Err(error) => return Err(error.into()),
    };
    let (report, connections) = cancellable(&stop, queue.finish()).await??;
    Ok((value, report, connections))
}
