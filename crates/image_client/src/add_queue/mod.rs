//! Objects to a server, in bulk (`imageserver.md §4.1`, `imagetool.md §6.1`).
//!
//! What is put in is collected in batches; one connection asks which of a batch the server lacks, another one sends these
//! and takes the answers as they come. Asking, sending and producing go on at the same time. A server that does not let
//! us ask gets everything.

mod ask;
mod send;
mod sink;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use srpc::Client;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tree_io::{Body, FoundObject};

use crate::error::Error;

pub use sink::QueueSink;

/// Bytes held in memory, in units of [`UNIT_BYTES`]: 32 MiB.
const IN_FLIGHT_UNITS: u32 = 8 << 10;

/// What the bytes in flight are counted in.
const UNIT_BYTES: u64 = 4 << 10;

/// Objects waiting to be asked about, and as many waiting to be sent.
const QUEUED_OBJECTS: usize = 1024;

/// How to add.
#[derive(Clone, Debug, Default)]
pub struct AddOptions {
    /// Pause between two objects.
    pub interval: Duration,
}

/// What a queue did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddReport {
    /// Objects put in.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects sent: the server lacked them, or could not be asked.
    pub sent_objects: u64,
    /// Their bytes.
    pub sent_bytes: u64,
}

/// An object on its way, holding its share of the memory.
struct Item {
    object: FoundObject,
    _memory: OwnedSemaphorePermit,
}

#[derive(Debug, Default)]
struct Counters {
    objects: AtomicU64,
    bytes: AtomicU64,
    sent_objects: AtomicU64,
    sent_bytes: AtomicU64,
}

/// A figure that a progress display reads while the queue works.
#[derive(Clone, Debug)]
pub struct AddProgress(Arc<Counters>);

impl AddProgress {
    /// So far.
    pub fn report(&self) -> AddReport {
        AddReport {
            objects: self.0.objects.load(Ordering::Relaxed),
            bytes: self.0.bytes.load(Ordering::Relaxed),
            sent_objects: self.0.sent_objects.load(Ordering::Relaxed),
            sent_bytes: self.0.sent_bytes.load(Ordering::Relaxed),
        }
    }
}

/// The queue. Dropping it abandons what is not sent and closes both connections.
pub struct AddQueue {
    items: Option<mpsc::Sender<Item>>,
    memory: Arc<Semaphore>,
    counters: Arc<Counters>,
    task: JoinHandle<Result<Connections, Error>>,
}

/// The connections of a queue that has ended. Keep them until the image is added: a server protects objects that were found or
/// added over a connection as long as it lasts.
pub struct Connections {
    /// The one that sent.
    pub sending: Client,
    /// The one that asked.
    pub asking: Option<Client>,
}

impl AddQueue {
    /// Starts on two connections of its own; without `asking` everything is sent. Needs a runtime around it.
    pub fn start(sending: Client, asking: Option<Client>, options: AddOptions) -> AddQueue {
        let (items, to_ask) = mpsc::channel(QUEUED_OBJECTS);
        let (found_missing, to_send) = mpsc::channel(QUEUED_OBJECTS);
        let counters = Arc::new(Counters::default());
        let (asks, sends) = (Arc::clone(&counters), Arc::clone(&counters));
        let task = tokio::spawn(async move {
            // Either failing stops the other: a dropped call closes its connection.
            let (asking, sending) = tokio::try_join!(
                ask::ask(asking, to_ask, found_missing, &asks),
                send::send(sending, to_send, &options, &sends),
            )
            .map_err(Error::while_sending)?;
            Ok(Connections { sending, asking })
        });
        let memory = Arc::new(Semaphore::new(IN_FLIGHT_UNITS as usize));
        AddQueue {
            items: Some(items),
            memory,
            counters,
            task,
        }
    }

    /// Puts an object in; waits while too much is in flight. Empty ones are not objects and are passed over.
    ///
    /// # Errors
    /// [`Error::QueueStopped`]; [`finish`](Self::finish) then tells why.
    pub async fn add(&self, object: FoundObject) -> Result<(), Error> {
        if object.size == 0 {
            return Ok(());
        }
        let bytes = match &object.body {
            Body::Bytes(data) => data.len() as u64,
            Body::File(_) => 0,
        };
        let units = u32::try_from(bytes / UNIT_BYTES + 1)
            .unwrap_or(u32::MAX)
            .min(IN_FLIGHT_UNITS);
        let items = self.items.as_ref().ok_or(Error::QueueStopped)?;
        let memory = Arc::clone(&self.memory);
        let permit = tokio::select! {
            permit = memory.acquire_many_owned(units) => permit.map_err(|_| Error::QueueStopped)?,
            () = items.closed() => return Err(Error::QueueStopped),
        };
        items
            .send(Item {
                object,
                _memory: permit,
            })
            .await
            .map_err(|_| Error::QueueStopped)
    }

    /// Figures that grow while the queue works.
    pub fn progress(&self) -> AddProgress {
        AddProgress(Arc::clone(&self.counters))
    }

    /// Waits until everything is with the server.
    ///
    /// # Errors
    /// Why something is not.
    pub async fn finish(mut self) -> Result<(AddReport, Connections), Error> {
        self.items = None;
        let connections = (&mut self.task).await.unwrap_or(Err(Error::TaskDied))?;
        Ok((self.progress().report(), connections))
    }
}

impl Drop for AddQueue {
    fn drop(&mut self) {
        self.task.abort();
    }
}
