//! Protection from collection for what a connection has added or was told is there.
//!
//! Between "here are my objects" and "here is my image" nothing refers to them. The original keeps what was added
//! referenced until 11 s after the call; ours lasts as long as the connection, and covers what the client was told it
//! need not send.

use super::{ObjectId, Table};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Protects objects while it lives and for the configured time after. Not to be had by message: it is part of its
/// connection.
pub struct Lease {
    inner: Arc<Inner>,
}

struct Inner {
    table: Arc<Table>,
    linger: Duration,
    /// Each object once, so that asking again and again does not fill the memory.
    held: Mutex<HashSet<ObjectId>>,
}

impl Lease {
    pub(super) fn new(table: Arc<Table>, linger: Duration) -> Lease {
        Lease {
            inner: Arc::new(Inner {
                table,
                linger,
                held: Mutex::default(),
            }),
        }
    }

    /// A second hold on the same lease, for a request under way: it must not end before that does.
    pub(super) fn share(&self) -> Lease {
        Lease {
            inner: self.inner.clone(),
        }
    }

    /// True if the object was not held by this lease before. The caller holds its shard's lock.
    pub(super) fn hold(&self, id: ObjectId) -> bool {
        self.inner.held.lock().insert(id)
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Lease")
            .field("objects", &self.inner.held.lock().len())
            .finish()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for id in self.held.get_mut().drain() {
            self.table.end_hold(id, self.linger);
        }
    }
}
