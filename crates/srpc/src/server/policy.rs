//! What an operator decides about a server.

use std::path::PathBuf;
use std::time::Duration;

use crate::access::Trusted;
use crate::conn::STALL_TIMEOUT;

/// Limits and trust of one server; `Policy::default()` has the reference's defaults.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Users and groups that may call everything.
    pub trusted: Trusted,
    /// Where callers on the same machine may move to.
    pub unix_socket: UnixSocket,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// Period of TCP keep-alive.
    pub keep_alive_period: Duration,
    /// For silence inside a message or transfer.
    pub stall_timeout: Duration,
    /// Connections at a time; further ones get 503.
    pub connections_max: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            trusted: Trusted::default(),
            unix_socket: UnixSocket::default(),
            handshake_timeout: Duration::from_secs(60),
            keep_alive_period: Duration::from_secs(300),
            stall_timeout: STALL_TIMEOUT,
            connections_max: 65_536,
        }
    }
}

/// The socket of the Unix upgrade (srpc.md §6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnixSocket {
    /// No upgrade.
    Off,
    /// A name in the abstract namespace, without the `@`.
    Abstract(String),
    /// A file; one that is there already is removed first.
    Path(PathBuf),
}

impl Default for UnixSocket {
    /// `@SRPC.<pid>`.
    fn default() -> Self {
        Self::Abstract(format!("SRPC.{}", std::process::id()))
    }
}

impl UnixSocket {
    /// From a flag's text: empty is off, a leading `@` means abstract, anything else is a path.
    pub fn parse(text: &str) -> Self {
        match text.strip_prefix('@') {
            _ if text.is_empty() => Self::Off,
            Some(name) => Self::Abstract(name.to_owned()),
            None => Self::Path(text.into()),
        }
    }
}
