//! Digests of a file while it is written. MD5 is slower than a good disk, so each digest has a thread of its own; both take
//! the blocks that are written out of memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use openssl::hash::{DigestBytes, Hasher, MessageDigest};
use repository::digest::Digests;
use storage::Block;

/// Blocks that wait for one digest, at most.
const MAXIMUM_WAITING_BLOCKS: usize = 1;
/// Bytes read at a time of what another request brought.
const BUFFER_BYTES: usize = 256 << 10;

/// The threads of an upload's digests.
pub(super) struct Hashing<'scope> {
    sha1: One<'scope>,
    md5: One<'scope>,
    size: u64,
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
        Ok(Self {
            sha1: One::start(scope, MessageDigest::sha1(), Arc::clone(file), before)?,
            md5: One::start(scope, MessageDigest::md5(), Arc::clone(file), before)?,
            size: before,
        })
    }

    /// Takes the next bytes of the file.
    pub(super) fn take(&mut self, block: &Arc<Block>) {
        self.size += block.bytes().len() as u64;
        // A thread that has given up says why at the end.
        let _ = self.sha1.blocks.send(Arc::clone(block));
        let _ = self.md5.blocks.send(Arc::clone(block));
    }

    /// The digests of all.
    ///
    /// # Errors
    /// What was there before cannot be read, or OpenSSL fails.
    pub(super) fn finish(self) -> io::Result<Digests> {
        let (sha1, md5) = (self.sha1.finish(), self.md5.finish());
        Ok(Digests::of_parts(&sha1?, &md5?, self.size))
    }
}

/// One digest and its thread.
struct One<'scope> {
    blocks: SyncSender<Arc<Block>>,
    thread: ScopedJoinHandle<'scope, io::Result<DigestBytes>>,
}

impl<'scope> One<'scope> {
    fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        kind: MessageDigest,
        file: Arc<File>,
        before: u64,
    ) -> io::Result<Self> {
        let (blocks, receiver) = sync_channel(MAXIMUM_WAITING_BLOCKS);
        let thread = Builder::new()
            .name("digest".to_owned())
            .spawn_scoped(scope, move || hash(kind, &file, before, &receiver))?;
        Ok(Self { blocks, thread })
    }

    fn finish(self) -> io::Result<DigestBytes> {
        drop(self.blocks);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("the thread of a digest ended early")))
    }
}

fn hash(
    kind: MessageDigest,
    file: &File,
    before: u64,
    blocks: &Receiver<Arc<Block>>,
) -> io::Result<DigestBytes> {
    let mut hasher = Hasher::new(kind)?;
    let mut buffer = vec![0; BUFFER_BYTES.min(usize::try_from(before).unwrap_or(usize::MAX))];
    let mut read = 0;
    while read < before {
        let length = (before - read).min(BUFFER_BYTES as u64) as usize;
        file.read_exact_at(&mut buffer[..length], read)?;
        hasher.update(&buffer[..length])?;
        read += length as u64;
    }
    drop(buffer);
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
}
