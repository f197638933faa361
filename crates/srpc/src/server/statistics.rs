//! Figures of the transport (srpc.md §14), as a snapshot for pages and through the `metrics` facade.

mod distribution;
mod method;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::SystemTime;

use super::Server;

pub use distribution::{Bucket, Distribution, DistributionSnapshot};
pub use method::MethodSnapshot;
pub(crate) use method::{CallResult, MethodStatistics};

/// The server's figures at one moment.
#[derive(Clone, Debug)]
pub struct ServerStatistics {
    /// Connections accepted since start.
    pub connections: u64,
    /// Connections open now.
    pub open_connections: u64,
    /// Calls of raw methods running now: their connections are busy for long, perhaps.
    pub open_raw_connections: u64,
    /// Connections refused: failed handshakes, bad certificates, too many.
    pub rejected_connections: u64,
    /// Methods running now.
    pub running_methods: u64,
    /// Panics caught inside methods since start.
    pub panics: u64,
    /// When the own certificate expires and since when it is valid, and when the first CA expires; `None` without TLS.
    pub certificates: Option<CertificateTimes>,
    /// Per method, sorted by full name.
    pub methods: Vec<MethodSnapshot>,
}

/// Dates of the server's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateTimes {
    /// The first certificate to expire.
    pub earliest_expiration: SystemTime,
    /// Since when that one is valid.
    pub earliest_expiring_activation: SystemTime,
    /// The first CA to expire.
    pub earliest_ca_expiration: Option<SystemTime>,
}

#[derive(Default)]
pub(crate) struct Counters {
    connections: AtomicU64,
    open: AtomicI64,
    open_raw: AtomicI64,
    rejected: AtomicU64,
    running: AtomicI64,
    panics: AtomicU64,
}

impl Counters {
    pub(crate) fn connection_opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("srpc_server_connections_total").increment(1);
        metrics::gauge!("srpc_server_open_connections").increment(1);
    }

    pub(crate) fn connection_closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("srpc_server_open_connections").decrement(1);
    }

    pub(crate) fn reject(&self, reason: &'static str) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("srpc_server_rejected_connections_total", "reason" => reason).increment(1);
    }

    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("srpc_server_panics_total").increment(1);
    }

    /// Counts a running call until the guard is dropped.
    pub(crate) fn running(&self, raw: bool) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("srpc_server_running_methods").increment(1);
        if raw {
            self.open_raw.fetch_add(1, Ordering::Relaxed);
        }
        Running { counters: self, raw }
    }
}

pub(crate) struct Running<'a> {
    counters: &'a Counters,
    raw: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.counters.running.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("srpc_server_running_methods").decrement(1);
        if self.raw {
            self.counters.open_raw.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

pub(super) fn snapshot(server: &Server) -> ServerStatistics {
    let counters = &server.counters;
    let now = |gauge: &AtomicI64| u64::try_from(gauge.load(Ordering::Relaxed)).unwrap_or(0);
    let mut methods: Vec<MethodSnapshot> = server
        .registry
        .methods()
        .map(|(_, method)| method.statistics.snapshot())
        .collect();
    methods.sort_by(|a, b| a.name.cmp(&b.name));
    ServerStatistics {
        connections: counters.connections.load(Ordering::Relaxed),
        open_connections: now(&counters.open),
        open_raw_connections: now(&counters.open_raw),
        rejected_connections: counters.rejected.load(Ordering::Relaxed),
        running_methods: now(&counters.running),
        panics: counters.panics.load(Ordering::Relaxed),
        certificates: server.tls().map(|tls| CertificateTimes {
            earliest_expiration: tls.certificate().not_after,
            earliest_expiring_activation: tls.certificate().not_before,
            earliest_ca_expiration: tls.cas().iter().map(|ca| ca.not_after).min(),
        }),
        methods,
    }
}
