//! Reading many objects back to back, ahead of the receiver.

use super::read::{LargeRead, WHOLE_OBJECT_BYTES, append, next_piece};
use super::verify::{conclude, open as open_checked};
use super::{Lease, ObjectError, Shared};
use bytes::Bytes;
use hash::Hash;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle};

/// Small objects read by one job: their bytes come as one chunk. Small enough that what one core has read is still in its
/// cache when the next one encrypts it.
const CHUNK_BYTES: u64 = 256 << 10;

/// Objects read by one job.
const CHUNK_OBJECTS: usize = 256;

/// Jobs ahead of the receiver. With [`CHUNK_BYTES`] a reader holds at most 5 MiB (a chunk may end in one more object of
/// up to 1 MiB), mostly one.
const AHEAD_CHUNKS: usize = 4;

/// The contents of a list of objects, in order, duplicates as often as they are listed (`imageserver.md §4.3`).
pub struct ObjectsReader {
    shared: Arc<Shared>,
    hashes: Vec<Hash>,
    sizes: Vec<u64>,
    /// First object no job was started for.
    next: usize,
    ahead: VecDeque<Job<Chunk>>,
    /// The next piece of a large object, being read while the last one is sent.
    large: Option<Job<(Box<LargeRead>, Bytes)>>,
    failed: bool,
    lease: Lease,
}

/// Reading, on the pool.
type Job<T> = JoinHandle<Result<T, ObjectError>>;

enum Chunk {
    Small(Bytes),
    Large(Box<LargeRead>),
}

impl ObjectsReader {
    pub(super) fn new(shared: Arc<Shared>, hashes: Vec<Hash>) -> Result<ObjectsReader, ObjectError> {
        let lease = Lease::new(shared.table.clone(), Duration::ZERO);
        let sizes: Vec<u64> = hashes
            .iter()
            .map(|hash| shared.table.size(hash, Some(&lease)))
            .collect();
        let mut missing = hashes
            .iter()
            .zip(&sizes)
            .filter(|(_, size)| **size == 0)
            .map(|(hash, _)| *hash);
        if let Some(first) = missing.next() {
            let (count, hash) = missing.fold((1, first), |(count, _), hash| (count + 1, hash));
            return Err(match count {
                1 => ObjectError::Unknown(hash),
                _ => ObjectError::ManyUnknown { count, hash },
            });
        }
        let (ahead, large) = (VecDeque::with_capacity(AHEAD_CHUNKS), None);
        Ok(ObjectsReader {
            shared,
            hashes,
            sizes,
            next: 0,
            ahead,
            large,
            failed: false,
            lease,
        })
    }

    /// Bytes of each object.
    pub fn sizes(&self) -> &[u64] {
        &self.sizes
    }

    /// The next bytes, without regard to where objects begin; `None` at the end. After an error the connection has to
    /// be closed: the receiver cannot tell otherwise.
    pub async fn next_chunk(&mut self) -> Option<Result<Bytes, ObjectError>> {
        if self.failed {
            return None;
        }
        let result = self.advance().await;
        self.failed = matches!(result, Some(Err(_)));
        result
    }

    async fn advance(&mut self) -> Option<Result<Bytes, ObjectError>> {
        if self.large.is_none() {
            self.read_ahead();
            // Taken off only when it is done: this may be dropped and called again.
            let chunk = flat(self.ahead.front_mut()?.await);
            self.ahead.pop_front();
            match chunk {
                Ok(Chunk::Small(bytes)) => {
                    self.read_ahead();
                    return Some(Ok(bytes));
                }
                Ok(Chunk::Large(read)) => self.read_piece(read),
                Err(error) => return Some(Err(error)),
            }
        }
        let piece = flat(self.large.as_mut()?.await);
        self.large = None;
        Some(piece.map(|(read, piece)| {
            if !read.is_done() {
                self.read_piece(read);
            }
            piece
        }))
    }

    fn read_piece(&mut self, read: Box<LargeRead>) {
        let shared = self.shared.clone();
        self.large = Some(tokio::spawn(async move { next_piece(&shared, read).await }));
    }

    /// Starts jobs until enough are under way.
    fn read_ahead(&mut self) {
        while self.ahead.len() < AHEAD_CHUNKS && self.next < self.hashes.len() {
            let first = self.next;
            let mut bytes = 0;
            if self.sizes[first] > WHOLE_OBJECT_BYTES {
                self.next += 1;
            } else {
                while self.next < self.hashes.len()
                    && self.next - first < CHUNK_OBJECTS
                    && bytes < CHUNK_BYTES
                    && self.sizes[self.next] <= WHOLE_OBJECT_BYTES
                {
                    bytes += self.sizes[self.next];
                    self.next += 1;
                }
            }
            let objects: Vec<(Hash, u64)> = self.hashes[first..self.next]
                .iter()
                .copied()
                .zip(self.sizes[first..self.next].iter().copied())
                .collect();
            // A job runs to its end also when the reader is dropped; without a hold of its own it would find objects gone.
            let (shared, lease) = (self.shared.clone(), self.lease.share());
            self.ahead.push_back(tokio::spawn(async move {
                let pool_shared = shared.clone();
                shared
                    .read_pool
                    .run(move || read_chunk(&pool_shared, &objects, lease))
                    .await?
            }));
        }
    }
}

impl Drop for ObjectsReader {
    fn drop(&mut self) {
        self.ahead.iter().for_each(JoinHandle::abort);
        self.large.iter().for_each(JoinHandle::abort);
    }
}

/// A job that died has failed.
fn flat<T>(done: Result<Result<T, ObjectError>, JoinError>) -> Result<T, ObjectError> {
    done.unwrap_or_else(|error| Err(ObjectError::Internal(error.to_string())))
}

/// Blocks.
fn read_chunk(shared: &Shared, objects: &[(Hash, u64)], lease: Lease) -> Result<Chunk, ObjectError> {
    if let [(hash, size)] = objects
        && *size > WHOLE_OBJECT_BYTES
    {
        let opened = open_checked(shared, hash)?;
        if opened.object.size != *size {
            // As in `read_whole`.
            return Err(ObjectError::Corrupt(*hash));
        }
        return Ok(Chunk::Large(Box::new(LargeRead::new(*hash, opened, lease))));
    }
    let total: u64 = objects.iter().map(|(_, size)| size).sum();
    let mut chunk = shared.buffers.take(usize::try_from(total).unwrap_or(0));
    let mut unverified = Vec::new();
    for (hash, size) in objects {
        let begin = chunk.len();
        let opened = append(shared, hash, open_checked(shared, hash)?, *size, &mut chunk)?;
        if !opened.verified {
            // The stamp, not the file: hundreds of open files would be too many.
            unverified.push((hash, opened.seen(), begin..chunk.len()));
        }
    }
    let contents: Vec<&[u8]> = unverified
        .iter()
        .map(|(_, _, range)| &chunk[range.clone()])
        .collect();
    for ((hash, seen, _), computed) in unverified.iter().zip(hash::of_each(&contents)) {
        conclude(shared, hash, seen, computed)?;
    }
    Ok(Chunk::Small(shared.buffers.lend(chunk)))
}
