//! How to connect.

use std::sync::Arc;
use std::time::Duration;

use super::Proxy;
use crate::coder::Coder;
use crate::conn::STALL_TIMEOUT;
use crate::tls::ClientCredentials;

/// Where to connect to and with what; defaults are the reference's.
#[derive(Clone)]
pub struct ConnectOptions {
    /// `host:port`. Anything between a `*` and the `:` is dropped: `web*2:6971` is `web:6971` (srpc.md §10).
    pub address: String,
    /// Connect through this proxy.
    pub proxy: Option<Proxy>,
    /// Certificates to offer. Without, only the endpoints without TLS are tried.
    pub tls: Option<Arc<ClientCredentials>>,
    /// For resolving the name and making the TCP connection.
    pub dial_timeout: Duration,
    /// For everything after that until the connection is ready.
    pub connect_timeout: Duration,
    /// Period of TCP keep-alive.
    pub keep_alive_period: Duration,
    /// Move to a Unix socket if the server is on this machine (srpc.md §6).
    pub unix_upgrade: bool,
    /// Ask the server to forget our method powers (srpc.md §7.5).
    pub do_not_use_method_powers: bool,
    /// Use only endpoints of this coding.
    pub coder: Option<Coder>,
    /// For silence inside a message or transfer.
    pub stall_timeout: Duration,
    /// For each whole call; for raw methods until the server lets them start.
    pub call_timeout: Option<Duration>,
    /// What decoding a reply may cost.
    pub limits: gob::Limits,
}

impl ConnectOptions {
    /// The defaults for this address, without certificates.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            proxy: None,
            tls: None,
            dial_timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(15),
            keep_alive_period: Duration::from_secs(300),
            unix_upgrade: true,
            do_not_use_method_powers: false,
            coder: None,
            stall_timeout: STALL_TIMEOUT,
            call_timeout: None,
            limits: gob::Limits::default(),
        }
    }

    /// With these certificates.
    pub fn with_tls(mut self, tls: Option<Arc<ClientCredentials>>) -> Self {
        self.tls = tls;
        self
    }
}
