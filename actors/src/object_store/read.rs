//! Reading one object.
//!
//! Small objects are read whole, verified if need be, and handed over in one piece. Large ones come in pieces; where the
//! content is not known to be right it is hashed on the way, and the last piece is held back until the hash agrees, so
//! that nobody ever receives a whole wrong object. No thread waits for a slow receiver: each piece is a job of its own.

use super::verify::{Opened, Seen, conclude, open as open_checked, unreadable};
use super::{Lease, ObjectError, Shared};
use bytes::Bytes;
use hash::{Hash, Hasher};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use storage::OpenObject;

/// Objects up to this size are read whole.
pub(super) const WHOLE_OBJECT_BYTES: u64 = 1 << 20;

/// Pieces of larger ones. A reader holds at most two of them.
const PIECE_BYTES: usize = 256 << 10;

/// An object being read, protected from collection meanwhile.
#[derive(Debug)]
pub struct VerifiedObject {
    size: u64,
    rest: Rest,
    shared: Arc<Shared>,
    _lease: Lease,
}

#[derive(Debug)]
enum Rest {
    Whole(Bytes),
    Pieces(Box<LargeRead>),
    End,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Shared")
    }
}

/// Where reading a large object has got to.
#[derive(Debug)]
pub(super) struct LargeRead {
    hash: Hash,
    object: OpenObject,
    left: u64,
    seen: Seen,
    /// Until the content is known to be right.
    hasher: Option<Hasher>,
    /// Of whoever reads; here as well, since a job may outlive its reader.
    _lease: Lease,
}

pub(super) async fn open(shared: &Arc<Shared>, hash: Hash) -> Result<VerifiedObject, ObjectError> {
    let lease = Lease::new(shared.table.clone(), Duration::ZERO);
    shared.table.size(&hash, Some(&lease));
    let (pool_shared, job_lease) = (shared.clone(), lease.share());
    let (size, rest) = shared
        .read_pool
        .run(move || {
            let opened = open_checked(&pool_shared, &hash)?;
            let size = opened.object.size;
            if size > WHOLE_OBJECT_BYTES {
                return Ok((
                    size,
                    Rest::Pieces(Box::new(LargeRead::new(hash, opened, job_lease))),
                ));
            }
            let content = read_whole(&pool_shared, &hash, opened)?;
            drop(job_lease);
            Ok::<_, ObjectError>((size, Rest::Whole(content.into())))
        })
        .await??;
    Ok(VerifiedObject {
        size,
        rest,
        shared: shared.clone(),
        _lease: lease,
    })
}

impl VerifiedObject {
    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The next piece; `None` after the last. After an error what was received must not be used.
    pub async fn next_chunk(&mut self) -> Option<Result<Bytes, ObjectError>> {
        match std::mem::replace(&mut self.rest, Rest::End) {
            Rest::Whole(content) => Some(Ok(content)),
            Rest::Pieces(read) => match next_piece(&self.shared, read).await {
                Ok((read, piece)) => {
                    if read.left > 0 {
                        self.rest = Rest::Pieces(read);
                    }
                    Some(Ok(piece))
                }
                Err(error) => Some(Err(error)),
            },
            Rest::End => None,
        }
    }

    /// All of it, if it is no larger than `limit` bytes; `None` if it is.
    pub async fn read_all(mut self, limit: u64) -> Result<Option<Bytes>, ObjectError> {
        if self.size > limit {
            return Ok(None);
        }
        if let Rest::Whole(content) = self.rest {
            return Ok(Some(content));
        }
        let mut all = Vec::with_capacity(usize::try_from(self.size).unwrap_or(0));
        while let Some(piece) = self.next_chunk().await {
            all.extend_from_slice(&piece?);
        }
        Ok(Some(all.into()))
    }
}

/// Reads the next piece on the pool, and hands the state back.
pub(super) async fn next_piece(
    shared: &Arc<Shared>,
    mut read: Box<LargeRead>,
) -> Result<(Box<LargeRead>, Bytes), ObjectError> {
    let pool_shared = shared.clone();
    shared
        .read_pool
        .run(move || {
            let piece = read.piece(&pool_shared)?;
            Ok((read, piece))
        })
        .await?
}

impl LargeRead {
    pub(super) fn new(hash: Hash, opened: Opened, lease: Lease) -> LargeRead {
        LargeRead {
            hash,
            seen: opened.seen(),
            _lease: lease,
            left: opened.object.size,
            hasher: (!opened.verified).then(Hasher::new),
            object: opened.object,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }

    fn piece(&mut self, shared: &Shared) -> Result<Bytes, ObjectError> {
        let length = PIECE_BYTES.min(usize::try_from(self.left).unwrap_or(PIECE_BYTES));
        let mut piece = shared.buffers.take(length);
        read_exactly(&mut self.object.file, length as u64, &mut piece)
            .map_err(|error| unreadable(shared, &self.hash, &error))?;
        self.left -= length as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&piece);
        }
        if self.left == 0
            && let Some(hasher) = self.hasher.take()
        {
            conclude(shared, &self.hash, &self.seen, hasher.finish())?;
        }
        Ok(shared.buffers.lend(piece))
    }
}

/// The whole content, verified if need be.
fn read_whole(shared: &Shared, hash: &Hash, opened: Opened) -> Result<Vec<u8>, ObjectError> {
    let size = opened.object.size;
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    let opened = append(shared, hash, opened, size, &mut content)?;
    if !opened.verified {
        conclude(shared, hash, &opened.seen(), hash::of(&content))?;
    }
    Ok(content)
}

/// Appends the content, which has the size in bytes that the receiver was told.
pub(super) fn append(
    shared: &Shared,
    hash: &Hash,
    mut opened: Opened,
    size: u64,
    target: &mut Vec<u8>,
) -> Result<Opened, ObjectError> {
    if size != opened.object.size {
        // The receiver was told the length of a damaged file, which has been repaired since. What is stored now is no
        // worse for it.
        return Err(ObjectError::Corrupt(*hash));
    }
    read_exactly(&mut opened.object.file, size, target).map_err(|error| unreadable(shared, hash, &error))?;
    Ok(opened)
}

/// One system call for each object: `read_to_end` would feel its way.
fn read_exactly(file: &mut std::fs::File, bytes: u64, target: &mut Vec<u8>) -> std::io::Result<()> {
    let begin = target.len();
    target.resize(begin + usize::try_from(bytes).map_err(std::io::Error::other)?, 0);
    file.read_exact(&mut target[begin..])
}
