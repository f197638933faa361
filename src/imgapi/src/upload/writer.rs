//! The thread that writes an upload's bytes, and beside it the one that computes their digests.
//!
//! A thread of its own an upload, not one of a pool: it lasts as long as the client sends. How many there are at a time is
//! bounded by [`super::MAXIMUM_UPLOADS`].

use std::io;
use std::thread;

use actors::RepositoryError;
use actors::image_repository::Upload;
use bytes::Bytes;
use repository::digest::Digests;
use tokio::sync::{mpsc, oneshot};

use super::digests::follow;
use super::progress::Progress;

/// Pieces of a body, of at most 64 KiB each, that wait to be written.
const MAXIMUM_WAITING_PIECES: usize = 8;
/// Bytes from which on a piece is written by itself; shorter ones are gathered, since some clients send line by line.
const LARGE_PIECE_BYTES: usize = 16 << 10;
/// Bytes gathered, at most.
const GATHERED_BYTES: usize = 64 << 10;

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
    pieces: mpsc::Sender<Bytes>,
    verdict: oneshot::Sender<Verdict>,
    written: oneshot::Receiver<Written>,
}

impl Writer {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system has no threads left.
    pub(crate) fn start(upload: Upload, plan: Plan) -> io::Result<Self> {
        let (pieces, receiver) = mpsc::channel(MAXIMUM_WAITING_PIECES);
        let (verdict, told) = oneshot::channel();
        let (sender, written) = oneshot::channel();
        let work = move || {
            let outcome = write(upload, receiver, told, plan);
            // If nobody waits for it any more, what is not kept removes itself.
            let _ = sender.send(outcome);
        };
        thread::Builder::new().name("upload".to_owned()).spawn(work)?;
        Ok(Self {
            pieces,
            verdict,
            written,
        })
    }

    /// Takes more; false if it takes no more, whose cause [`Writer::end`] tells.
    pub(crate) async fn push(&self, piece: Bytes) -> bool {
        self.pieces.send(piece).await.is_ok()
    }

    /// Ends it.
    pub(crate) async fn end(self, verdict: Verdict) -> Written {
        // If the thread has given up already, it has said why.
        let _ = self.verdict.send(verdict);
        drop(self.pieces);
        self.written.await.unwrap_or(Written::Removed)
    }
}

fn write(
    mut upload: Upload,
    pieces: mpsc::Receiver<Bytes>,
    told: oneshot::Receiver<Verdict>,
    plan: Plan,
) -> Written {
    let progress = Progress::at(upload.received());
    let reader = match plan.is_hashed.then(|| upload.reader()).transpose() {
        Ok(reader) => reader,
        Err(error) => return Written::Failed(error),
    };
    let (appended, digests) = thread::scope(|scope| {
        let hashing = reader.map(|file| scope.spawn(|| follow(file, &progress)));
        let appended = {
            let _end = EndOnDrop(&progress);
            append_all(&mut upload, pieces, &progress)
        };
        (appended, hashing.map(|thread| thread.join()))
    });
    match appended {
        Ok(()) => match (told.blocking_recv().unwrap_or(plan.if_cut), digests) {
            (Verdict::Whole, Some(Ok(Ok(digests)))) => whole(upload, digests, plan),
            (Verdict::Whole, digests) => not_hashed(digests),
            (verdict, _) => keep_or_remove(upload, verdict),
        },
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

fn not_hashed(digests: Option<thread::Result<io::Result<Digests>>>) -> Written {
    let cause = match digests {
        Some(Ok(Err(error))) => format!("digests of the upload: {error}"),
        _ => "digests of the upload were not computed".to_owned(),
    };
    Written::Failed(RepositoryError::Internal(cause))
}

/// The hashing thread must not wait for a writer that is gone.
struct EndOnDrop<'a>(&'a Progress);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn append_all(
    upload: &mut Upload,
    mut pieces: mpsc::Receiver<Bytes>,
    progress: &Progress,
) -> Result<(), RepositoryError> {
    let mut gathered = Vec::new();
    while let Some(piece) = pieces.blocking_recv() {
        if piece.len() < LARGE_PIECE_BYTES && gathered.len() + piece.len() <= GATHERED_BYTES {
            gathered.extend_from_slice(&piece);
            continue;
        }
        append(upload, &mut gathered)?;
        upload.append(&piece)?;
        progress.reach(upload.received());
    }
    append(upload, &mut gathered)?;
    progress.reach(upload.received());
    Ok(())
}

fn append(upload: &mut Upload, gathered: &mut Vec<u8>) -> Result<(), RepositoryError> {
    if !gathered.is_empty() {
        upload.append(gathered)?;
        gathered.clear();
    }
    Ok(())
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
            let writer = Writer::start(upload, plan).unwrap();
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
