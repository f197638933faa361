//! Memory for reading, used again.
//!
//! Every object that is served passes through a buffer. One that is fresh from the system costs, in page faults and the kernel's
//! clearing, as much as reading into it does.

use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::Arc;

/// Buffers kept for the next reader.
const KEPT_BUFFERS: usize = 32;

/// Larger ones are given back to the system: what is kept is at most 16 MiB.
const KEPT_BYTES: usize = 512 << 10;

/// Idle buffers, shared by all readers.
#[derive(Default)]
pub(crate) struct Buffers {
    idle: Mutex<Vec<Vec<u8>>>,
}

/// Bytes whose buffer comes back when the last reader has let go.
struct Lent {
    data: Vec<u8>,
    home: Arc<Buffers>,
}

impl Buffers {
    /// An empty buffer for `bytes` bytes.
    pub(super) fn take(&self, bytes: usize) -> Vec<u8> {
        if bytes > KEPT_BYTES {
            return Vec::with_capacity(bytes);
        }
        // All kept ones are of one size, so that any will do.
        self.idle
            .lock()
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(KEPT_BYTES))
    }

    /// What was read into a buffer, to be sent on.
    pub(super) fn lend(self: &Arc<Self>, data: Vec<u8>) -> Bytes {
        let home = Arc::clone(self);
        Bytes::from_owner(Lent { data, home })
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if self.data.capacity() != KEPT_BYTES {
            return;
        }
        let mut data = std::mem::take(&mut self.data);
        data.clear();
        let mut idle = self.home.idle.lock();
        if idle.len() < KEPT_BUFFERS {
            idle.push(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_when_nobody_reads_it_any_more() {
        let buffers = Arc::new(Buffers::default());
        let mut data = buffers.take(100);
        data.extend_from_slice(b"secret of the last reader");
        let place = data.as_ptr();
        let lent = buffers.lend(data);
        let part = lent.slice(0..6);
        drop(lent);
        assert_eq!(&part[..], b"secret");
        assert!(buffers.idle.lock().is_empty(), "it is still read");
        drop(part);
        let again = buffers.take(KEPT_BYTES);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let buffers = Arc::new(Buffers::default());
        let lent: Vec<Bytes> = (0..KEPT_BUFFERS + 5)
            .map(|_| buffers.lend(buffers.take(1)))
            .collect();
        drop(lent);
        assert_eq!(buffers.idle.lock().len(), KEPT_BUFFERS);
        let large = buffers.take(KEPT_BYTES + 1);
        drop(buffers.lend(large));
        assert_eq!(buffers.idle.lock().len(), KEPT_BUFFERS);
    }
}
