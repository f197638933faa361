//! Memory that a disk can take without the page cache.

/// Where such memory begins, and its length: a multiple of this, in bytes. As large as the blocks of any usual disk.
pub const ALIGNMENT: usize = 4096;

/// Bytes gathered to be written at once. They begin at a multiple of [`ALIGNMENT`] in memory.
#[derive(Debug)]
pub struct Block {
    memory: Vec<u8>,
    /// Bytes of `memory` before the first one that counts.
    start: usize,
    /// Bytes there is room for.
    capacity: usize,
}

impl Block {
    /// An empty one with room for so many bytes; memory is only used up as they come.
    pub fn with_capacity(capacity: usize) -> Self {
        let mut memory: Vec<u8> = Vec::with_capacity(capacity + ALIGNMENT);
        let start = memory.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        memory.resize(start, 0);
        Self {
            memory,
            start,
            capacity,
        }
    }

    /// Takes what there is room for, and gives the rest back.
    pub fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = self.capacity - self.bytes().len();
        let (taken, rest) = bytes.split_at(room.min(bytes.len()));
        self.memory.extend_from_slice(taken);
        rest
    }

    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.memory[self.start..]
    }

    /// Whether there is no room left.
    pub fn is_full(&self) -> bool {
        self.bytes().len() == self.capacity
    }
}

/// Whether `bytes` can be written at `offset` without the page cache, but for a rest behind the last whole [`ALIGNMENT`].
pub(crate) fn is_aligned(bytes: &[u8], offset: u64) -> bool {
    offset.is_multiple_of(ALIGNMENT as u64) && bytes.as_ptr().addr().is_multiple_of(ALIGNMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_takes_what_it_has_room_for_and_stays_where_a_disk_wants_it() {
        for capacity in [1, 4096, 10_000, 512 << 10] {
            let mut block = Block::with_capacity(capacity);
            let bytes: Vec<u8> = (0..capacity + 100).map(|number| number as u8).collect();
            let mut rest = &bytes[..];
            for piece in bytes[..capacity].chunks(777) {
                assert!(!block.is_full() && block.fill(piece).is_empty());
                rest = &rest[piece.len()..];
            }
            assert_eq!(block.fill(rest), &bytes[capacity..]);
            assert!(block.is_full());
            assert_eq!(block.bytes(), &bytes[..capacity]);
            assert!(is_aligned(block.bytes(), 8192) && !is_aligned(block.bytes(), 8193));
            assert!(!is_aligned(&block.bytes()[1..], 0));
        }
    }
}
