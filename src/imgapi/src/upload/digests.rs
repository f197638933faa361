//! Digests of a file while it is written. MD5 is slower than a good disk, so each digest has a thread of its own; both take
//! the blocks that are written out of memory.
//!
//! What another request brought is read first, which may take minutes where the disk is slow. Nobody waits for that: what is
//! written meanwhile is read from the file, too, till a thread has caught up.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use openssl::hash::{DigestBytes, Hasher, MessageDigest};
use parking_lot::Mutex;
use repository::digest::Digests;
use storage::Block;

/// Blocks that wait for one digest, at most.
const MAXIMUM_WAITING_BLOCKS: usize = 1;
/// Bytes read at a time of what another request brought.
const BUFFER_BYTES: usize = 256 << 10;

/// The threads of an upload's digests. Dropped before [`finish`](Self::finish), they end soon: nobody wants the digests.
pub(super) struct Hashing<'scope> {
    sha1: One<'scope>,
    md5: One<'scope>,
    size: u64,
    end: GivesUp,
}

impl<'scope> Hashing<'scope> {
    /// Starts them. They begin with the first `before` bytes of `file`, which another request brought.
    ///
    /// # Errors
    /// The system has no threads left.
    pub(super) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        file: &Arc<File>,
        before: u64,
    ) -> io::Result<Self> {
        let end = GivesUp::default();
        let start = |kind| One::start(scope, kind, Reading::new(file, before, &end));
        Ok(Self {
            sha1: start(MessageDigest::sha1())?,
            md5: start(MessageDigest::md5())?,
            size: before,
            end,
        })
    }

    /// Takes the next bytes of the file, which are written.
    pub(super) fn take(&mut self, block: &Arc<Block>) {
        self.size += block.bytes().len() as u64;
        self.sha1.take(block);
        self.md5.take(block);
    }

    /// The digests of all.
    ///
    /// # Errors
    /// What is there cannot be read, or OpenSSL fails.
    pub(super) fn finish(self) -> io::Result<Digests> {
        let (sha1, md5) = (self.sha1.finish(), self.md5.finish());
        drop(self.end);
        Ok(Digests::of_parts(&sha1?, &md5?, self.size))
    }
}

/// Dropped, it has the threads end.
#[derive(Default)]
struct GivesUp(Arc<AtomicBool>);

impl Drop for GivesUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a thread reads from the file before it takes blocks.
struct Reading {
    file: Arc<File>,
    is_given_up: Arc<AtomicBool>,
    state: Mutex<State>,
}

struct State {
    /// Bytes of the file that are to be read.
    end: u64,
    /// All of them are: the thread takes blocks.
    is_over: bool,
}

impl Reading {
    fn new(file: &Arc<File>, before: u64, end: &GivesUp) -> Arc<Self> {
        Arc::new(Self {
            file: Arc::clone(file),
            is_given_up: Arc::clone(&end.0),
            state: Mutex::new(State {
                end: before,
                is_over: before == 0,
            }),
        })
    }

    /// Has so many bytes more read; false if nothing is read any more.
    fn add(&self, bytes: u64) -> bool {
        let mut state = self.state.lock();
        if !state.is_over {
            state.end += bytes;
        }
        !state.is_over
    }

    /// Where to read to, of who has read so much; `None` once nothing is left.
    fn rest(&self, read: u64) -> Option<u64> {
        let mut state = self.state.lock();
        state.is_over |= read == state.end;
        (!state.is_over).then_some(state.end)
    }

    fn hash_into(&self, hasher: &mut Hasher) -> io::Result<()> {
        let (mut buffer, mut read) = (Vec::new(), 0);
        while let Some(end) = self.rest(read) {
            buffer.resize(BUFFER_BYTES, 0);
            while read < end {
                if self.is_given_up.load(Ordering::Relaxed) {
                    return Err(io::Error::other("nobody waits for the digest"));
                }
                let length = (end - read).min(BUFFER_BYTES as u64) as usize;
                self.file.read_exact_at(&mut buffer[..length], read)?;
                hasher.update(&buffer[..length])?;
                read += length as u64;
            }
        }
        Ok(())
    }
}

/// One digest and its thread.
struct One<'scope> {
    reading: Arc<Reading>,
    blocks: SyncSender<Arc<Block>>,
    thread: ScopedJoinHandle<'scope, io::Result<DigestBytes>>,
}

impl<'scope> One<'scope> {
    fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        kind: MessageDigest,
        reading: Arc<Reading>,
    ) -> io::Result<Self> {
        let (blocks, receiver) = sync_channel(MAXIMUM_WAITING_BLOCKS);
        let its = Arc::clone(&reading);
        let thread = Builder::new()
            .name("digest".to_owned())
            .spawn_scoped(scope, move || hash(kind, &its, &receiver))?;
        Ok(Self {
            reading,
            blocks,
            thread,
        })
    }

    fn take(&self, block: &Arc<Block>) {
        if !self.reading.add(block.bytes().len() as u64) {
            // A thread that has given up says why at the end.
            let _ = self.blocks.send(Arc::clone(block));
        }
    }

    fn finish(self) -> io::Result<DigestBytes> {
        drop(self.blocks);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("the thread of a digest ended early")))
    }
}

fn hash(kind: MessageDigest, reading: &Reading, blocks: &Receiver<Arc<Block>>) -> io::Result<DigestBytes> {
    let mut hasher = Hasher::new(kind)?;
    reading.hash_into(&mut hasher)?;
    while let Ok(block) = blocks.recv() {
        hasher.update(block.bytes())?;
    }
    Ok(hasher.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use repository::digest::Digester;
    use std::io::Write as _;

    #[test]
    fn the_digests_are_those_of_what_was_there_before_and_of_what_came() {
        let content: Vec<u8> = (0..1_000_000u32).flat_map(u32::to_le_bytes).collect();
        for before in [0, 1_500_001] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            let (first, rest) = content.split_at(before);
            file.write_all(first).unwrap();
            let reader = Arc::new(file.reopen().unwrap());
            let digests = std::thread::scope(|scope| {
                let mut hashing = Hashing::start(scope, &reader, first.len() as u64).unwrap();
                for piece in rest.chunks(77_777) {
                    let mut block = Block::with_capacity(77_777);
                    assert!(block.fill(piece).is_empty());
                    file.write_all(piece).unwrap();
                    hashing.take(&Arc::new(block));
                }
                hashing.finish().unwrap()
            });
            let mut digester = Digester::new().unwrap();
            digester.update(&content).unwrap();
            assert_eq!(digests, digester.finish().unwrap());
        }
    }

    #[test]
    fn a_file_that_is_shorter_than_it_was_gives_an_error_and_no_digest() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let outcome = std::thread::scope(|scope| {
            let mut hashing = Hashing::start(scope, &file, 10).unwrap();
            for _ in 0..10 {
                hashing.take(&Arc::new(Block::with_capacity(1)));
            }
            hashing.finish()
        });
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn nobody_waits_till_what_was_there_before_is_read() {
        let file = tempfile::tempfile().unwrap();
        // Half an hour of work.
        let before = 1 << 40;
        file.set_len(before).unwrap();
        let file = Arc::new(file);
        std::thread::scope(|scope| {
            let mut hashing = Hashing::start(scope, &file, before).unwrap();
            let mut block = Block::with_capacity(10);
            block.fill(&[7; 10]);
            let block = Arc::new(block);
            for _ in 0..100 * MAXIMUM_WAITING_BLOCKS {
                hashing.take(&block);
            }
            drop(hashing);
        });
    }
}
