//! Threads that hash and hand objects to the sink while one thread finds them.
//!
//! Cost, on two cores: walking 6,800 entries is some 40 ms, reading 200 MB from the page cache 50 ms, hashing them
//! 100 to 300 ms of one core. Hashing decides, so there are as many hashing threads as cores and the walker, which mostly waits
//! for room in the queue, is one more.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use bstr::BString;
use crossbeam_channel::{Receiver, Sender, bounded};
use hash::{Hash, Hasher};

use crate::attributes::Attributes;
use crate::beneath::Root;
use crate::error::Error;
use crate::sink::{Body, FoundObject, IN_MEMORY_BYTES, ObjectSink, Stamp, StoredFile, open_regular};
use crate::{Cancel, Progress};

/// Jobs waiting for a hashing thread; a job holds at most [`IN_MEMORY_BYTES`].
const QUEUED_JOBS: usize = 32;

/// Bytes read at a time from files that are not kept in memory.
const PIECE_BYTES: usize = 1 << 20;

/// Bytes a thread gathers before it names them; at most [`IN_MEMORY_BYTES`] more.
const BATCH_BYTES: usize = 1 << 20;

/// Files a thread gathers at most. The first of them waits for the last before it is sent.
const BATCH_FILES: usize = 128;

/// Something to be hashed, for the inode `number`.
pub(crate) enum Job {
    /// A file of the tree, as it was when found; never empty.
    File {
        number: u64,
        path: BString,
        stamp: Stamp,
    },
    /// Content that is here already; never empty.
    Bytes { number: u64, data: Vec<u8> },
    /// Content too large for memory, hashed while it was spooled.
    Spooled {
        number: u64,
        hash: Hash,
        size: u64,
        file: File,
    },
}

/// A file that was read.
enum Content {
    /// All of it, still to be named.
    Bytes(Vec<u8>),
    /// Named on the way.
    Object(FoundObject),
}

/// Contents waiting to be named together: many at once are named in a third of the time.
#[derive(Default)]
struct Batch {
    contents: Vec<(u64, Vec<u8>)>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, number: u64, data: Vec<u8>) {
        self.bytes += data.len();
        self.contents.push((number, data));
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES || self.contents.len() >= BATCH_FILES
    }
}

/// What the threads found out.
#[derive(Default)]
pub(crate) struct Hashed {
    pub(crate) hashes: Vec<(u64, Hash)>,
    pub(crate) attributes: Attributes,
}

/// What a pool works with.
pub(crate) struct Pool<'a> {
    pub(crate) root: Option<&'a Arc<Root>>,
    pub(crate) sink: &'a dyn ObjectSink,
    pub(crate) threads: Option<NonZeroUsize>,
    pub(crate) cancel: &'a Cancel,
    pub(crate) progress: &'a Progress,
}

/// The finder's end of the queue.
pub(crate) struct Jobs<'a> {
    sender: Sender<Job>,
    cancel: &'a Cancel,
}

impl Jobs<'_> {
    /// Waits for room. Fails when the threads have stopped, for a reason [`Pool::run`] then returns.
    pub(crate) fn send(&self, job: Job) -> Result<(), Error> {
        self.cancel.check()?;
        self.sender.send(job).map_err(|_| Error::WorkerDied)
    }
}

impl Pool<'_> {
    /// Runs `find` here and the hashing beside it; returns when both are done.
    pub(crate) fn run<T>(
        &self,
        find: impl FnOnce(&Jobs<'_>) -> Result<T, Error>,
    ) -> Result<(T, Hashed), Error> {
        let threads = self
            .threads
            .or_else(|| std::thread::available_parallelism().ok())
            .map_or(1, NonZeroUsize::get);
        let (sender, receiver) = bounded(QUEUED_JOBS);
        let seen = Mutex::new(HashSet::new());
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let receiver = receiver.clone();
                    scope.spawn(|| self.work(receiver, &seen))
                })
                .collect();
            // Only the workers hold the receiver now: when the last one stops, sending fails instead of blocking.
            drop(receiver);
            let found = find(&Jobs {
                sender,
                cancel: self.cancel,
            });
            let mut all = Hashed::default();
            let mut failed = None;
            for worker in workers {
                match worker.join() {
                    Ok(Ok(mine)) => {
                        all.hashes.extend(mine.hashes);
                        all.attributes.merge(mine.attributes);
                    }
                    Ok(Err(error)) => failed = failed.or(Some(error)),
                    Err(_) => failed = failed.or(Some(Error::WorkerDied)),
                }
            }
            match (found, failed) {
                // The finder's `WorkerDied` is only the echo of the worker's own error.
                (Err(Error::WorkerDied) | Ok(_), Some(error)) => Err(error),
                (Err(error), _) => Err(error),
                (Ok(found), None) => Ok((found, all)),
            }
        })
    }

    fn work(&self, receiver: Receiver<Job>, seen: &Mutex<HashSet<Hash>>) -> Result<Hashed, Error> {
        let mut mine = Hashed::default();
        let mut batch = Batch::default();
        let mut piece = Vec::new();
        for job in receiver {
            self.cancel.check()?;
            match job {
                Job::Bytes { number, data } => batch.add(number, data),
                Job::Spooled {
                    number,
                    hash,
                    size,
                    file,
                } => {
                    let body = Body::File(StoredFile::temporary(file, size));
                    self.found(number, FoundObject { hash, size, body }, &mut mine, seen)?;
                }
                Job::File { number, path, stamp } => {
                    let root = self.root.ok_or(Error::WorkerDied)?;
                    match self.read(root, path, stamp, &mut piece, &mut mine.attributes)? {
                        Content::Bytes(data) => batch.add(number, data),
                        Content::Object(object) => self.found(number, object, &mut mine, seen)?,
                    }
                }
            }
            if batch.is_full() {
                self.name(&mut batch, &mut mine, seen)?;
            }
        }
        self.name(&mut batch, &mut mine, seen)?;
        Ok(mine)
    }

    /// Names what has gathered, all at once, and hands it on.
    fn name(&self, batch: &mut Batch, mine: &mut Hashed, seen: &Mutex<HashSet<Hash>>) -> Result<(), Error> {
        let contents: Vec<&[u8]> = batch.contents.iter().map(|(_, data)| data.as_slice()).collect();
        let names = hash::of_each(&contents);
        batch.bytes = 0;
        for ((number, data), hash) in batch.contents.drain(..).zip(names) {
            let size = data.len() as u64;
            self.progress.add_bytes(size);
            let body = Body::Bytes(data);
            self.found(number, FoundObject { hash, size, body }, mine, seen)?;
        }
        Ok(())
    }

    fn found(
        &self,
        number: u64,
        object: FoundObject,
        mine: &mut Hashed,
        seen: &Mutex<HashSet<Hash>>,
    ) -> Result<(), Error> {
        mine.hashes.push((number, object.hash));
        self.progress.add_file();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = seen.insert(object.hash);
        drop(seen);
        if is_new {
            self.sink.put(object).map_err(Error::Sink)?;
        }
        Ok(())
    }

    fn read(
        &self,
        root: &Arc<Root>,
        path: BString,
        stamp: Stamp,
        piece: &mut Vec<u8>,
        attributes: &mut Attributes,
    ) -> Result<Content, Error> {
        let mut file = open_regular(root, &path)?;
        if Stamp::of(&file, &path)? != stamp {
            return Err(Error::Changed(path));
        }
        attributes.note(&file, &path);
        let content = if stamp.size <= IN_MEMORY_BYTES {
            let mut data = vec![0; usize::try_from(stamp.size).unwrap_or(0)];
            // One system call. That the file has not grown tells the stamp, below.
            file.read_exact(&mut data).map_err(|e| match e.kind() {
                std::io::ErrorKind::UnexpectedEof => Error::Changed(path.clone()),
                _ => Error::io("read", &path, e),
            })?;
            Content::Bytes(data)
        } else {
            let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::Sequential);
            let hash = self.hash_pieces(&mut file, &path, stamp.size, piece)?;
            Content::Object(FoundObject {
                hash,
                size: stamp.size,
                body: Body::File(StoredFile::in_tree(Arc::clone(root), path.clone(), stamp)),
            })
        };
        if Stamp::of(&file, &path)? != stamp {
            return Err(Error::Changed(path));
        }
        Ok(content)
    }

    fn hash_pieces(
        &self,
        file: &mut File,
        path: &BString,
        size: u64,
        piece: &mut Vec<u8>,
    ) -> Result<Hash, Error> {
        piece.resize(PIECE_BYTES, 0);
        let mut hasher = Hasher::new();
        let mut got = 0;
        loop {
            self.cancel.check()?;
            let count = file.read(piece).map_err(|e| Error::io("read", path, e))?;
            if count == 0 {
                break;
            }
            got += count as u64;
            if got > size {
                return Err(Error::Changed(path.clone()));
            }
            hasher.update(&piece[..count]);
            self.progress.add_bytes(count as u64);
        }
        if got == size {
            Ok(hasher.finish())
        } else {
            Err(Error::Changed(path.clone()))
        }
    }
}
