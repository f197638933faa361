//! The answering side.

mod endpoint;
mod handshake;
pub mod listener;
pub mod paths;
mod policy;
pub(crate) mod session;
pub mod statistics;
pub(crate) mod upgrade;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::BytesMut;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

pub use endpoint::{Decision, Endpoint};
pub use policy::{Policy, UnixSocket};
pub use session::METHOD_LINE_MAX_BYTES;

use crate::access::Trusted;
use crate::registry::Registry;
use crate::tls::ServerTls;
use statistics::{Counters, ServerStatistics};

/// Answers calls to the services of one registry. Shared between threads; the sessions themselves stay on theirs.
pub struct Server {
    pub(crate) registry: Arc<Registry>,
    pub(crate) policy: Policy,
    pub(crate) tls: ArcSwapOption<ServerTls>,
    pub(crate) machine_owners: ArcSwap<Trusted>,
    pub(crate) counters: Counters,
    pub(crate) draining: CancellationToken,
    aborting: CancellationToken,
    sessions: AtomicUsize,
    session_ended: tokio::sync::Notify,
}

impl Server {
    /// `tls: None` is insecure mode: no TLS, and every caller may call every method.
    pub fn new(registry: Arc<Registry>, tls: Option<Arc<ServerTls>>, policy: Policy) -> Arc<Self> {
        registry.upgrade().configure(policy.unix_socket.clone());
        Arc::new(Self {
            registry,
            policy,
            tls: ArcSwapOption::new(tls),
            machine_owners: ArcSwap::default(),
            counters: Counters::default(),
            draining: CancellationToken::new(),
            aborting: CancellationToken::new(),
            sessions: AtomicUsize::new(0),
            session_ended: tokio::sync::Notify::new(),
        })
    }

    /// The services.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Whether there is no TLS and everybody may do everything.
    pub fn is_insecure(&self) -> bool {
        self.tls.load().is_none()
    }

    /// New certificates for connections made from now on.
    pub fn set_tls(&self, tls: Option<Arc<ServerTls>>) {
        self.tls.store(tls);
    }

    /// What TLS is made with, if there is TLS.
    pub fn tls(&self) -> Option<Arc<ServerTls>> {
        self.tls.load_full()
    }

    /// The owners of the machine this runs on, who may call everything (srpc.md §7.6). This crate does not look for them.
    pub fn set_machine_owners(&self, owners: Trusted) {
        self.machine_owners.store(Arc::new(owners));
    }

    /// What to do with an HTTP request (srpc.md §2.3): `query` is what is behind the `?`, if there is one.
    pub fn endpoint(&self, http_method: &str, path: &str, query: Option<&str>) -> Decision {
        let decision = endpoint::decide(
            http_method,
            path,
            query,
            &endpoint::Doors {
                tls: !self.is_insecure(),
                unauthenticated_methods: self.registry.has_unauthenticated_methods(),
            },
        );
        match decision {
            Decision::Accept(_) if self.draining.is_cancelled() => Decision::Refuse(503),
            Decision::Accept(_) if self.sessions.load(Ordering::Relaxed) >= self.policy.connections_max => {
                self.counters.reject("too many connections");
                Decision::Refuse(503)
            }
            other => other,
        }
    }

    /// Takes over a connection whose CONNECT was accepted: writes the status line, does the TLS handshake if the endpoint asks
    /// for it, and answers calls until the peer leaves, something breaks or the server drains. `received` is what was read
    /// behind the CONNECT already.
    ///
    /// The future is not `Send`: methods may keep to their thread.
    pub async fn serve_plain(
        self: &Arc<Self>,
        stream: TcpStream,
        received: BytesMut,
        peer: std::net::SocketAddr,
        endpoint: Endpoint,
    ) {
        let _session = SessionGuard::enter(self);
        tokio::select! {
            biased;
            () = self.aborting.cancelled() => {}
            () = session::run(self, stream, received, peer, endpoint) => {}
        }
    }

    /// Cancelled when draining starts.
    pub fn draining(&self) -> &CancellationToken {
        &self.draining
    }

    /// Ends idle connections at once, refuses new ones, and lets running calls finish up to `limit`, after which they are
    /// dropped. Returns how many had to be.
    pub async fn drain(&self, limit: Duration) -> usize {
        self.draining.cancel();
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            let ended = self.session_ended.notified();
            if self.sessions.load(Ordering::Acquire) == 0 {
                return 0;
            }
            if tokio::time::timeout_at(deadline, ended).await.is_err() {
                break;
            }
        }
        let left = self.sessions.load(Ordering::Acquire);
        self.aborting.cancel();
        left
    }

    /// The figures of srpc.md §14, now.
    pub fn statistics(&self) -> ServerStatistics {
        statistics::snapshot(self)
    }
}

struct SessionGuard(Arc<Server>);

impl SessionGuard {
    fn enter(server: &Arc<Server>) -> Self {
        server.sessions.fetch_add(1, Ordering::AcqRel);
        server.counters.connection_opened();
        Self(Arc::clone(server))
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        self.0.counters.connection_closed();
        self.0.sessions.fetch_sub(1, Ordering::AcqRel);
        self.0.session_ended.notify_waiters();
    }
}
