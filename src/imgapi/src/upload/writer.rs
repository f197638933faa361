//! The thread that writes an upload's bytes, and beside it those that compute their digests.
//!
//! Threads of its own an upload, not those of a pool: they last as long as the client sends. How many there are at a time is
//! bounded by [`super::MAXIMUM_UPLOADS`]. Bytes are gathered in blocks that the disk takes without the page cache; each is
//! handed on once, to the writer and the digests alike.

use std::io;
use std::sync::Arc;
use std::thread;

use actors::RepositoryError;
use actors::image_repository::Upload;
use bytes::Bytes;
use repository::digest::Digests;
use storage::Block;
use tokio::sync::{mpsc, oneshot};

use super::digests::Hashing;

/// Blocks that wait to be written. With those that are filled, written and hashed, an upload has at most five.
const MAXIMUM_WAITING_BLOCKS: usize = 1;
/// Bytes of a block of one of few uploads: with less, a disk is waited for more than it works.
const LARGE_BLOCK_BYTES: usize = 512 << 10;
/// Bytes of a block of one of many, which keep a disk busy together.
const SMALL_BLOCK_BYTES: usize = 64 << 10;
/// Uploads at a time that are few: large blocks take at most 80 MiB together, as small ones do.
const FEW_UPLOADS: usize = 32;

/// What is to become of what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All of the file is there.
    Whole,
    /// The rest comes another time.
    Keep,
    /// It is worth nothing.
    Remove,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Written {
    /// Written; not yet at its name, and flushed only if it is to be kept when the client goes away: then it stays when it is dropped,
    /// else dropping removes it.
    Whole(Upload, Digests),
    /// So many bytes of the file are on stable storage, for who goes on.
    Kept(u64),
    /// Nothing is left.
    Removed,
    /// The disk is full, or fails; of a file that comes in pieces what was there before is kept.
    Failed(RepositoryError),
}

/// How an upload is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Whether this request may bring the last byte, so that digests are needed.
    pub(crate) is_hashed: bool,
    /// What becomes of it when the client goes away.
    pub(crate) if_cut: Verdict,
}

/// Takes the bytes of a body. Dropped before [`Writer::end`], as when the client goes away, it does what its plan says.
pub(crate) struct Writer {
    blocks: Blocks,
    verdict: oneshot::Sender<Verdict>,
    written: oneshot::Receiver<Written>,
}

impl Writer {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system has no threads left: the plan says what becomes of what is there.
    pub(crate) fn start(upload: Upload, plan: Plan) -> io::Result<Self> {
        let (blocks, receiver) = mpsc::channel(MAXIMUM_WAITING_BLOCKS);
        let (verdict, told) = oneshot::channel();
        let (sender, written) = oneshot::channel();
        // Handed over once there is a thread: a thread that is not started drops what it has, and what came on other days with it.
        let (hand_over, taken) = oneshot::channel();
        let work = move || {
            let Ok(upload) = taken.blocking_recv() else {
                return;
            };
            let outcome = write(upload, receiver, told, plan);
            // If nobody waits for it any more, what is not kept removes itself.
            let _ = sender.send(outcome);
        };
        let started = thread::Builder::new().name("upload".to_owned()).spawn(work);
        if let Err(error) = started {
            keep_or_remove(upload, plan.if_cut);
            return Err(error);
        }
        // It waits for nothing else.
        let _ = hand_over.send(upload);
        Ok(Self {
            blocks: Blocks::to(blocks),
            verdict,
            written,
        })
    }

    /// Takes more; false if it takes no more, whose cause [`Writer::end`] tells.
    pub(crate) async fn push(&mut self, piece: Bytes) -> bool {
        let mut rest = &piece[..];
        while !rest.is_empty() {
            rest = self.blocks.filling.fill(rest);
            if self.blocks.filling.is_full() && !self.blocks.hand_on().await {
                return false;
            }
        }
        true
    }

    /// Ends it.
    pub(crate) async fn end(mut self, verdict: Verdict) -> Written {
        // If the thread has given up already, it has said why.
        self.blocks.hand_on().await;
        let _ = self.verdict.send(verdict);
        drop(self.blocks);
        self.written.await.unwrap_or(Written::Removed)
    }
}

/// Gathers bytes.
struct Blocks {
    filling: Block,
    full: mpsc::Sender<Block>,
}

impl Blocks {
    fn to(full: mpsc::Sender<Block>) -> Self {
        Self {
            filling: empty(),
            full,
        }
    }

    /// Hands on what is gathered; false if nobody takes it.
    async fn hand_on(&mut self) -> bool {
        // The block stays here until there is room for it: whoever waits may be given up meanwhile.
        let Ok(place) = self.full.reserve().await else {
            return false;
        };
        place.send(std::mem::replace(&mut self.filling, empty()));
        true
    }
}

impl Drop for Blocks {
    /// The client went away: what it sent is worth keeping, if there is room for it.
    fn drop(&mut self) {
        let _ = self
            .full
            .try_send(std::mem::replace(&mut self.filling, Block::with_capacity(0)));
    }
}

fn empty() -> Block {
    let is_one_of_few = super::in_progress() <= FEW_UPLOADS;
    Block::with_capacity(if is_one_of_few {
        LARGE_BLOCK_BYTES
    } else {
        SMALL_BLOCK_BYTES
    })
}

fn write(
    mut upload: Upload,
    blocks: mpsc::Receiver<Block>,
    told: oneshot::Receiver<Verdict>,
    plan: Plan,
) -> Written {
    let verdict = || told.blocking_recv().unwrap_or(plan.if_cut);
    let appended = match plan.is_hashed {
        true => hash_and_append(&mut upload, blocks, verdict),
        false => append_all(&mut upload, blocks, |_| ()).map(|()| (verdict(), None)),
    };
    match appended {
        Ok((Verdict::Whole, Some(Ok(digests)))) => whole(upload, digests, plan),
        Ok((Verdict::Whole, digests)) => not_hashed(digests),
        Ok((verdict, _)) => keep_or_remove(upload, verdict),
        // What is there is good: who sends in pieces may go on when there is room.
        Err(error) => match keep_or_remove(upload, plan.if_cut) {
            Written::Failed(other) => Written::Failed(other),
            _ => Written::Failed(error),
        },
    }
}

/// What came in pieces stays from here on, whatever becomes of its change, and of its client, who may have left while the digests
/// of many gigabytes were computed.
fn whole(mut upload: Upload, digests: Digests, plan: Plan) -> Written {
    let secured = match plan.if_cut {
        Verdict::Keep => upload.secure(),
        Verdict::Whole | Verdict::Remove => Ok(()),
    };
    match secured {
        Ok(()) => Written::Whole(upload, digests),
        Err(error) => Written::Failed(error),
    }
}

/// What is to become of it, and its digests if all of it is there.
type Appended = Result<(Verdict, Option<io::Result<Digests>>), RepositoryError>;

/// # Errors
/// What is there cannot be opened, the system has no threads left, or the disk.
fn hash_and_append(
    upload: &mut Upload,
    blocks: mpsc::Receiver<Block>,
    verdict: impl FnOnce() -> Verdict,
) -> Appended {
    let file = Arc::new(upload.reader()?);
    thread::scope(|scope| {
        let mut hashing = Hashing::start(scope, &file, upload.received())
            .map_err(|error| RepositoryError::Internal(format!("threads of an upload's digests: {error}")))?;
        append_all(upload, blocks, |block| hashing.take(block))?;
        Ok(match verdict() {
            Verdict::Whole => (Verdict::Whole, Some(hashing.finish())),
            // Who goes on need not wait till all that is there is read.
            verdict => (verdict, None),
        })
    })
}

fn append_all(
    upload: &mut Upload,
    mut blocks: mpsc::Receiver<Block>,
    mut hash: impl FnMut(&Arc<Block>),
) -> Result<(), RepositoryError> {
    while let Some(block) = blocks.blocking_recv() {
        let block = Arc::new(block);
        upload.append(block.bytes())?;
        hash(&block);
    }
    Ok(())
}

fn keep_or_remove(upload: Upload, verdict: Verdict) -> Written {
    if verdict != Verdict::Keep {
        return Written::Removed;
    }
    // A name for no bytes would only be a leftover.
    if upload.received() == 0 {
        return Written::Kept(0);
    }
    upload.keep().map_or_else(Written::Failed, Written::Kept)
}

fn not_hashed(digests: Option<io::Result<Digests>>) -> Written {
    let cause = match digests {
        Some(Err(error)) => format!("digests of the upload: {error}"),
        _ => "digests of the upload were not computed".to_owned(),
    };
    Written::Failed(RepositoryError::Internal(cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actors::RepositoryError::Busy;
    use actors::image_repository::{RepositoryStore, Slot, start};
    use repository::Uuid;
    use repository::manifest::{Mode, Record, Rules};
    use serde_json::json;

    /// Clients that leave, each in another moment.
    const CLIENTS: usize = 20;

    #[tokio::test]
    async fn a_client_that_leaves_while_the_last_piece_is_hashed_finds_all_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let rules = Rules {
            mode: Mode::Public,
            has_channels: false,
        };
        let system = start(RepositoryStore::new(directory.path(), rules)).unwrap();
        let (repository, uuid, slot) = (system.repository(), Uuid::from_random([7; 16]), Slot::File(0));
        let record = json!({
            "v": 2, "uuid": uuid.to_string(), "owner": uuid.to_string(), "name": "a", "version": "1", "state": "unactivated",
            "disabled": false, "activated": false, "public": true, "type": "other", "os": "linux", "files": [],
        });
        let record = Record::new(record.as_object().unwrap().clone(), &rules).unwrap();
        repository.create(record).await.unwrap();
        let plan = Plan {
            is_hashed: true,
            if_cut: Verdict::Keep,
        };
        for client in 0..CLIENTS {
            let upload = repository.begin_upload(uuid, slot, true).await.unwrap();
            let mut writer = Writer::start(upload, plan).unwrap();
            assert!(writer.push(Bytes::from_static(b"piece")).await);
            {
                let mut end = std::pin::pin!(writer.end(Verdict::Whole));
                for _ in 0..=client {
                    let is_over = std::future::poll_fn(|context| {
                        std::task::Poll::Ready(end.as_mut().poll(context).is_ready())
                    });
                    if is_over.await {
                        break;
                    }
                    thread::yield_now();
                }
            }
            // Till nobody has it any more.
            let kept = loop {
                match repository.kept_upload(uuid, slot).await {
                    Err(Busy) => tokio::task::yield_now().await,
                    kept => break kept.unwrap(),
                }
            };
            assert_eq!(kept, Some(5 * (client as u64 + 1)));
        }
    }
}
