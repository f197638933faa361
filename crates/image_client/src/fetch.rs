//! Objects from a server, in order and in bulk (`imageserver.md §4.3`).
//!
//! A task reads the connection and hands pieces through a bounded queue, so that receiving, verifying and writing overlap; whoever
//! reads slowly slows the server down, nothing piles up.

use std::future::Future;
use std::time::Duration;

use hash::{Hash, Hasher};
use protocol::object_server::{GetObjectsRequest, GetObjectsResponse};
use srpc::Client;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tree_io::Cancel;

use crate::error::Error;

/// Objects of one request: some 1.5 MB of names. The server answers a further request without a pause worth mentioning.
pub const REQUEST_OBJECTS: usize = 16_384;

/// Bytes of one piece at most.
pub const PIECE_BYTES: usize = 1 << 20;

/// Small objects travel to the reader together, about so many bytes at a time: waking a thread costs more than most
/// objects do, and many at once are verified in a third of the time.
const BATCH_BYTES: usize = 1 << 20;

/// Batches waiting to be read: at most 16 MiB.
const QUEUED_BATCHES: usize = 8;

/// How soon a cancellation is noticed while nothing moves.
const CANCEL_PERIOD: Duration = Duration::from_millis(200);

/// Part of an object.
#[derive(Debug)]
pub struct Piece {
    /// Its bytes, at least one.
    pub data: Vec<u8>,
    /// Whether the object ends here. Where the stream verifies, the last piece comes only after the whole was found right.
    pub is_last: bool,
}

/// Who compares objects with their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// The stream, before it hands out an object's last piece.
    Here,
    /// The reader, who hashes anyway or on more threads.
    Reader,
}

/// Objects arriving; dropping it closes the connection.
pub struct ObjectStream {
    batches: mpsc::Receiver<Vec<Piece>>,
    received: std::vec::IntoIter<Piece>,
    task: Option<JoinHandle<Result<Client, Error>>>,
    runtime: Handle,
    verify: Verify,
}

impl ObjectStream {
    /// Asks for `wanted`, names with sizes in bytes (none of them 0), and starts receiving. Names may repeat. Needs
    /// a runtime around it.
    pub fn start(client: Client, wanted: Vec<(Hash, u64)>, verify: Verify) -> ObjectStream {
        let (sender, batches) = mpsc::channel(QUEUED_BATCHES);
        let task = tokio::spawn(receive(client, wanted, verify, sender));
        ObjectStream {
            batches,
            received: Vec::new().into_iter(),
            task: Some(task),
            runtime: Handle::current(),
            verify,
        }
    }

    /// The next piece of the present object, or the first of the next one; nothing after the last object.
    ///
    /// # Errors
    /// Why nothing more will come.
    pub async fn next(&mut self) -> Result<Option<Piece>, Error> {
        if let Some(piece) = self.received.next() {
            return Ok(Some(piece));
        }
        match self.batches.recv().await {
            Some(batch) => Ok(self.take(batch)),
            None => match self.task.take() {
                Some(task) => task.await.unwrap_or(Err(Error::TaskDied)).map(|_| None),
                None => Ok(None),
            },
        }
    }

    /// As [`next`](Self::next), for threads outside the runtime; ends soon after a cancellation although the peer is silent.
    ///
    /// # Errors
    /// Why nothing more will come.
    pub fn blocking_next(&mut self, cancel: &Cancel) -> Result<Option<Piece>, Error> {
        if let Some(piece) = self.received.next() {
            return Ok(Some(piece));
        }
        let batch = match self.batches.try_recv() {
            Ok(batch) => Some(batch),
            Err(_) => self.runtime.block_on(cancellable(cancel, self.batches.recv()))?,
        };
        match batch {
            Some(batch) => Ok(self.take(batch)),
            None => match self.task.take() {
                // It has dropped its end of the queue: it is about to return.
                Some(task) => self
                    .runtime
                    .block_on(task)
                    .unwrap_or(Err(Error::TaskDied))
                    .map(|_| None),
                None => Ok(None),
            },
        }
    }

    fn take(&mut self, batch: Vec<Piece>) -> Option<Piece> {
        self.received = batch.into_iter();
        self.received.next()
    }

    /// After the last object: the connection, for further calls.
    ///
    /// # Errors
    /// What went wrong, also if objects are left unread.
    pub async fn finish(mut self) -> Result<Client, Error> {
        self.batches.close();
        match self.task.take() {
            Some(task) => task.await.unwrap_or(Err(Error::TaskDied)),
            None => Err(Error::TaskDied),
        }
    }
}

impl Drop for ObjectStream {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn receive(
    mut client: Client,
    wanted: Vec<(Hash, u64)>,
    verify: Verify,
    batches: mpsc::Sender<Vec<Piece>>,
) -> Result<Client, Error> {
    let mut waiting = Waiting {
        batches,
        pieces: Vec::new(),
        bytes: 0,
    };
    for request in wanted.chunks(REQUEST_OBJECTS) {
        let mut stream = client
            .open("ObjectServer.GetObjects")
            .await
            .map_err(Error::GetObjects)?;
        let hashes = request.iter().map(|(hash, _)| *hash).collect();
        stream
            .write_value(&GetObjectsRequest {
                hashes,
                ..GetObjectsRequest::default()
            })
            .await?;
        stream.flush().await?;
        let reply: GetObjectsResponse = stream.read_prompt_value().await?;
        if !reply.response_string.is_empty() {
            return Err(Error::NotServed(reply.response_string));
        }
        if reply.object_sizes.len() != request.len() {
            return Err(Error::Protocol("another number of sizes than of objects"));
        }
        for ((hash, here), there) in request.iter().zip(reply.object_sizes) {
            if *here != there {
                return Err(Error::SizeMismatch {
                    hash: Box::new(*hash),
                    here: *here,
                    there,
                });
            }
            let mut object = Arriving::new(*hash, there, verify);
            while let Some(room) = object.next_piece_bytes() {
                let mut data = Vec::with_capacity(room);
                while data.len() < room {
                    let missing = (room - data.len()) as u64;
                    let read = stream.read_raw_into(&mut data, missing).await;
                    read.map_err(|source| Error::BrokenOff {
                        hash: Box::new(*hash),
                        source,
                    })?;
                }
                let piece = object.piece(data)?;
                waiting.add(piece).await?;
            }
        }
        stream.finish().await?;
    }
    waiting.send().await?;
    Ok(client)
}

/// An object of which a part is here.
struct Arriving {
    hash: Hash,
    /// Bytes still to come.
    left: u64,
    /// Whether somebody here compares it with its name.
    is_verified: bool,
    /// For objects of several pieces.
    hasher: Option<Hasher>,
}

/// A piece, and the name it must have if it is a whole object that is to be verified before it goes on.
struct Arrived {
    piece: Piece,
    expected: Option<Hash>,
}

impl Arriving {
    fn new(hash: Hash, size: u64, verify: Verify) -> Arriving {
        let is_verified = verify == Verify::Here;
        Arriving {
            hash,
            left: size,
            is_verified,
            hasher: (is_verified && size > PIECE_BYTES as u64).then(Hasher::new),
        }
    }

    fn next_piece_bytes(&self) -> Option<usize> {
        (self.left > 0).then(|| usize::try_from(self.left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES)))
    }

    fn piece(&mut self, data: Vec<u8>) -> Result<Arrived, Error> {
        self.left -= data.len() as u64;
        let is_last = self.left == 0;
        let mut expected = None;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&data);
            if is_last && let Some(hasher) = self.hasher.take() {
                compare(self.hash, hasher.finish())?;
            }
        } else if self.is_verified {
            expected = Some(self.hash);
        }
        Ok(Arrived {
            piece: Piece { data, is_last },
            expected,
        })
    }
}

fn compare(expected: Hash, computed: Hash) -> Result<(), Error> {
    if computed == expected {
        return Ok(());
    }
    Err(Error::Damaged {
        expected: Box::new(expected),
        computed: Box::new(computed),
    })
}

/// Pieces on their way to the reader.
struct Waiting {
    batches: mpsc::Sender<Vec<Piece>>,
    pieces: Vec<Arrived>,
    bytes: usize,
}

impl Waiting {
    async fn add(&mut self, piece: Arrived) -> Result<(), Error> {
        self.bytes += piece.piece.data.len();
        self.pieces.push(piece);
        if self.bytes >= BATCH_BYTES {
            self.send().await
        } else {
            Ok(())
        }
    }

    async fn send(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        if self.pieces.is_empty() {
            return Ok(());
        }
        self.verify()?;
        let batch = self.pieces.drain(..).map(|arrived| arrived.piece).collect();
        self.batches.send(batch).await.map_err(|_| Error::QueueStopped)
    }

    fn verify(&self) -> Result<(), Error> {
        let (expected, contents): (Vec<Hash>, Vec<&[u8]>) = self
            .pieces
            .iter()
            .filter_map(|arrived| Some((arrived.expected?, arrived.piece.data.as_slice())))
            .unzip();
        let computed = hash::of_each(&contents);
        let mut pairs = expected.into_iter().zip(computed);
        pairs.try_for_each(|(expected, computed)| compare(expected, computed))
    }
}

/// An [`ObjectStream`] for the threads that write trees.
pub struct BlockingObjects {
    /// Where the objects come from.
    pub stream: ObjectStream,
    /// Ends waiting for them.
    pub cancel: Cancel,
}

impl BlockingObjects {
    fn next_piece(&mut self) -> Result<Piece, tree_io::Error> {
        let error = match self.stream.blocking_next(&self.cancel) {
            Ok(Some(piece)) => return Ok(piece),
            Ok(None) => Error::Protocol("fewer objects than wanted"),
            Err(Error::Tree(error)) => return Err(error),
            Err(error) => error,
        };
        Err(tree_io::Error::Source(Box::new(error)))
    }
}

impl tree_io::ObjectSource for BlockingObjects {
    fn next_object(
        &mut self,
        _hash: &Hash,
        _size: u64,
        consume: &mut dyn FnMut(&[u8]) -> Result<(), tree_io::Error>,
    ) -> Result<(), tree_io::Error> {
        loop {
            let piece = self.next_piece()?;
            consume(&piece.data)?;
            if piece.is_last {
                return Ok(());
            }
        }
    }

    /// The stream gives out `size` bytes of each object, whoever verifies them.
    fn next_whole(&mut self, _hash: &Hash, size: u64) -> Result<Vec<u8>, tree_io::Error> {
        let mut whole = self.next_piece()?;
        if !whole.is_last {
            let size = usize::try_from(size).unwrap_or(0);
            whole.data.reserve_exact(size.saturating_sub(whole.data.len()));
        }
        while !whole.is_last {
            let next = self.next_piece()?;
            whole.data.extend_from_slice(&next.data);
            whole.is_last = next.is_last;
        }
        Ok(whole.data)
    }

    fn is_verified(&self) -> bool {
        self.stream.verify == Verify::Here
    }
}

/// Waits for `work`, looking from time to time whether somebody has asked to stop.
pub(crate) async fn cancellable<T>(cancel: &Cancel, work: impl Future<Output = T>) -> Result<T, Error> {
    let mut work = std::pin::pin!(work);
    loop {
        cancel.check()?;
        if let Ok(done) = tokio::time::timeout(CANCEL_PERIOD, &mut work).await {
            return Ok(done);
        }
    }
}
