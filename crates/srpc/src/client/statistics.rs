//! Figures of all clients of the process (srpc.md §14).

use std::sync::atomic::{AtomicU64, Ordering};

static OPEN_CONNECTIONS: AtomicU64 = AtomicU64::new(0);
static OPEN_CALLS: AtomicU64 = AtomicU64::new(0);

/// The figures at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientStatistics {
    /// Connections open now.
    pub open_connections: u64,
    /// Connections with a call on them now, and calls running now: one connection carries one call.
    pub open_calls: u64,
}

/// The figures now.
pub fn client_statistics() -> ClientStatistics {
    ClientStatistics {
        open_connections: OPEN_CONNECTIONS.load(Ordering::Relaxed),
        open_calls: OPEN_CALLS.load(Ordering::Relaxed),
    }
}

pub(super) struct OpenConnection(());

impl OpenConnection {
    pub(super) fn begin() -> Self {
        OPEN_CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("srpc_client_open_connections").increment(1);
        Self(())
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        OPEN_CONNECTIONS.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("srpc_client_open_connections").decrement(1);
    }
}

pub(super) struct OpenCall(());

impl OpenCall {
    pub(super) fn begin() -> Self {
        OPEN_CALLS.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("srpc_client_open_calls").increment(1);
        Self(())
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        OPEN_CALLS.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("srpc_client_open_calls").decrement(1);
    }
}
