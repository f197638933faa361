//! Who calls, and what a method is told about its call.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::coder::Coder;
use crate::powers::Powers;
use crate::scope::ConnectionScope;

/// The identity found when the connection was made. It never changes afterwards (srpc.md §7.1, §7.2).
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// Subject CN of the caller's certificate; empty without one.
    pub username: String,
    /// Groups named in the certificate.
    pub groups: Vec<String>,
    /// Method patterns of the certificate that are honoured.
    pub powers: Powers,
    /// The server runs without TLS: everybody may do everything.
    pub insecure: bool,
}

impl Caller {
    /// Whether there is a verified user name.
    pub fn is_authenticated(&self) -> bool {
        !self.username.is_empty()
    }

    /// Whether the certificate names this group.
    pub fn is_in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|known| known == group)
    }
}

/// One permitted call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who calls.
    pub caller: Arc<Caller>,
    /// The caller has powers for this method, and did not just find it open (srpc.md §7.3).
    pub have_method_access: bool,
    /// The far end when the connection was made; kept when the session moves to a Unix socket.
    pub peer: SocketAddr,
    /// The near end when the connection was made.
    pub local: SocketAddr,
    /// Name of the service.
    pub service: &'static str,
    /// Name of the method.
    pub method: &'static str,
    /// How values are written. [`Conn`](crate::Conn) takes care of it; for methods that behave differently over JSON.
    pub coder: Coder,
    /// What services keep as long as the connection lives.
    pub connection: Arc<ConnectionScope>,
    /// Cancelled when the server drains: a subscription ends then, a transfer may finish.
    pub draining: CancellationToken,
}
