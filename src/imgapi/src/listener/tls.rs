//! TLS on a port of its own: certificate and key from files, read again when they are others.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::net::TcpStream;
use arc_swap::ArcSwap;
use openssl::ssl::{Ssl, SslAcceptor, SslFiletype, SslMethod, SslOptions};
use repository::configuration::Tls;
use tokio::io::AsyncWriteExt as _;
use tokio_openssl::SslStream;

/// How long a client may take for the handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(30);

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
#[error("cannot use certificate {certificate} with key {key}: {what}")]
pub(crate) struct TlsError {
    certificate: String,
    key: String,
    what: String,
}

/// What handshakes are made with, from the files as they are now: TLS 1.2 at least, ciphers that authenticate, no tickets
/// (imgapi-operations.md §11).
///
/// # Errors
/// A file cannot be read, or the key is another certificate's.
pub(crate) fn acceptor(tls: &Tls) -> Result<SslAcceptor, TlsError> {
    make(tls).map_err(|error| {
        let mut what: Vec<String> = error.errors().iter().map(|error| error.to_string()).collect();
        what.dedup();
        TlsError {
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
            what: what.join("; "),
        }
    })
}

fn make(tls: &Tls) -> Result<SslAcceptor, openssl::error::ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_options(SslOptions::NO_TICKET);
    builder.set_certificate_chain_file(&tls.certificate)?;
    builder.set_private_key_file(&tls.key, SslFiletype::PEM)?;
    builder.check_private_key()?;
    builder.set_alpn_select_callback(|_, offered| {
        openssl::ssl::select_next_proto(b"\x08http/1.1", offered).ok_or(openssl::ssl::AlpnError::NOACK)
    });
    Ok(builder.build())
}

/// What the next handshake is made with.
#[derive(Clone)]
pub(crate) struct Current(Arc<ArcSwap<SslAcceptor>>);

impl Current {
    pub(crate) fn new(acceptor: SslAcceptor) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(acceptor)))
    }

    /// From now on this one. Connections that are there keep theirs.
    pub(crate) fn set(&self, acceptor: SslAcceptor) {
        self.0.store(Arc::new(acceptor));
    }

    /// The handshake.
    ///
    /// # Errors
    /// The client does not want TLS, or none that is spoken here, or is slow.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<SslStream<TcpStream>> {
        let ssl = Ssl::new(self.0.load().context())?;
        let mut stream = SslStream::new(ssl, stream)?;
        let handshake = tokio::time::timeout(HANDSHAKE_TIME, std::pin::Pin::new(&mut stream).accept());
        match handshake.await {
            Ok(Ok(())) => Ok(stream),
            Ok(Err(error)) => Err(io::Error::other(error)),
            Err(_) => {
                let _ = stream.get_mut().shutdown().await;
                Err(io::ErrorKind::TimedOut.into())
            }
        }
    }
}
