//! TLS on an accepted connection, and who is at the other end.

use std::pin::Pin;
use std::time::Duration;

use openssl::ssl::Ssl;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use crate::call::Caller;
use crate::conn::Coalesced;
use crate::powers::{ClaimsError, identify};
use crate::tls::{ServerTls, alert};

/// Why a connection did not come about.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    #[error("TLS handshake failed: {0}")]
    Tls(String),
    #[error("TLS handshake took more than {0:?}")]
    TooSlow(Duration),
    #[error("certificate of the caller: {0}")]
    Claims(#[from] ClaimsError),
    #[error("no verified certificate")]
    NoChain,
}

impl HandshakeError {
    /// As a metric's label.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Tls(_) => "handshake",
            Self::TooSlow(_) => "handshake timeout",
            Self::Claims(_) | Self::NoChain => "certificate",
        }
    }
}

/// Runs the server side of the handshake.
pub(super) async fn accept(
    tls: &ServerTls,
    stream: TcpStream,
    limit: Duration,
) -> Result<(SslStream<Coalesced>, Caller), HandshakeError> {
    let failed = |error: openssl::error::ErrorStack| HandshakeError::Tls(error.to_string());
    let ssl = Ssl::new(tls.context()).map_err(failed)?;
    let mut stream = SslStream::new(ssl, Coalesced::new(stream)).map_err(failed)?;
    match tokio::time::timeout(limit, Pin::new(&mut stream).accept()).await {
        Err(_) => return Err(HandshakeError::TooSlow(limit)),
        Ok(Err(error)) => return Err(HandshakeError::Tls(alert::describe_tls(&error))),
        Ok(Ok(())) => {}
    }
    let caller = caller_of(tls, &stream)?;
    Ok((stream, caller))
}

fn caller_of(tls: &ServerTls, stream: &SslStream<Coalesced>) -> Result<Caller, HandshakeError> {
    let chain = stream.ssl().verified_chain().ok_or(HandshakeError::NoChain)?;
    let failed = |error: openssl::error::ErrorStack| ClaimsError::Certificate(error.to_string());
    let leaf = chain.get(0).ok_or(HandshakeError::NoChain)?;
    let powers_honoured = tls.honours_powers_of(&leaf.issuer_name().to_der().map_err(failed)?);
    let ders = chain
        .iter()
        .map(|certificate| certificate.to_der())
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    let identity = identify(ders.iter().map(Vec::as_slice), powers_honoured)?;
    Ok(Caller {
        username: identity.username,
        groups: identity.groups,
        powers: identity.powers,
        insecure: false,
    })
}
