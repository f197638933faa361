//! Why connecting or calling failed.

use crate::conn::ConnError;

/// A failure to connect. Texts are those of srpc.md §10 and §11.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody listens there.
    #[error("connection refused")]
    ConnectionRefused,
    /// The network does not know the way.
    #[error("no route to host")]
    NoRouteToHost,
    /// The name server is of no help.
    #[error("DNS server misbehaving")]
    DnsServerMisbehaving,
    /// Any other failure to make a TCP connection.
    #[error("{0}")]
    Dial(String),
    /// The address is not `host:port`.
    #[error("bad address: {0:?}: want host:port")]
    BadAddress(String),
    /// Own certificates cannot be used.
    #[error("{0}")]
    Credentials(String),
    /// The server wants a certificate and we have none to offer.
    #[error("missing certificate")]
    MissingCertificate,
    /// The server does not accept our certificate.
    #[error("bad certificate")]
    BadCertificate,
    /// The server has no SRPC.
    #[error("no SRPC endpoint")]
    NoEndpoint,
    /// The server answered the CONNECT with something unforeseen.
    #[error("unexpected HTTP response: {0}")]
    Http(String),
    /// TLS failed.
    #[error("{0}")]
    Tls(String),
    /// Connecting took too long.
    #[error("i/o timeout")]
    Timeout,
    /// The connection broke.
    #[error("{0}")]
    Conn(#[from] ConnError),
}

/// A failure of a call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// What the server answered with.
    #[error("{0}")]
    Remote(String),
    /// The server does not let us.
    #[error("access to method denied")]
    AccessDenied,
    /// An earlier call broke the connection.
    #[error("connection is closed: connect again")]
    Closed,
    /// The connection broke, or what came is not the wanted value.
    #[error("{0}")]
    Conn(#[from] ConnError),
}

impl CallError {
    pub(super) fn from_line(text: &str) -> Self {
        match text {
            "access to method denied" => Self::AccessDenied,
            text => Self::Remote(text.to_owned()),
        }
    }

    /// Whether the server is there and well, and just said no.
    pub fn keeps_connection(&self) -> bool {
        matches!(self, Self::Remote(_) | Self::AccessDenied)
    }

    /// Whether the call's deadline passed.
    pub fn is_timeout(&self) -> bool {
        matches!(
            self,
            Self::Conn(ConnError::DeadlineExceeded | ConnError::Stalled(_))
        )
    }
}
