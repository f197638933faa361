//! The streams a connection can run on.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_openssl::SslStream;
use tokio_util::io::poll_read_buf;

use super::coalesced::Coalesced;

/// How long a polite end of a stream may take.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of one TLS record.
const RECORD_BYTES: usize = 16 << 10;

/// Any other duplex stream.
pub trait AnyStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> AnyStream for S {}

/// The stream below a connection.
pub enum Transport {
    /// Plain TCP.
    Tcp(TcpStream),
    /// TLS inside CONNECT.
    Tls(Box<SslStream<Coalesced>>),
    /// After the upgrade of srpc.md §6.
    Unix(UnixStream),
    /// Whatever else: a tunnel, a pipe in a fuzz target.
    Other(Box<dyn AnyStream>),
}

impl Transport {
    /// A short name for logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "TCP",
            Self::Tls(_) => "TLS",
            Self::Unix(_) => "Unix",
            Self::Other(_) => "other",
        }
    }

    fn stream(&mut self) -> Pin<&mut dyn AnyStream> {
        match self {
            Self::Tcp(stream) => Pin::new(stream),
            Self::Tls(stream) => Pin::new(stream.as_mut()),
            Self::Unix(stream) => Pin::new(stream),
            Self::Other(stream) => Pin::new(stream.as_mut()),
        }
    }

    /// 0 bytes: the end of the stream, or no room in `target`.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        target: &mut (impl BufMut + ?Sized),
    ) -> Poll<io::Result<usize>> {
        poll_read_buf(self.stream(), context, &mut &mut *target)
    }

    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if let Self::Tls(stream) = self
            && data.len() > RECORD_BYTES
        {
            stream.get_mut().cork();
        }
        self.stream().poll_write(context, data)
    }

    /// Must follow the last write before waiting for the peer.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }

    /// Ends the stream towards the peer; for TLS that is the closing alert, which Go's reader wants to see.
    pub(super) async fn close(&mut self) {
        // A peer that is gone already is no news.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, poll_fn(|context| self.poll_close(context))).await;
    }
}

/// A stream that both halves use. The lock is held while polling only, never while waiting.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Transport>>);

impl Shared {
    pub(super) fn new(transport: Transport) -> Self {
        Self(Arc::new(Mutex::new(transport)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Transport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Transport::close`].
    pub(super) async fn close(&self) {
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, poll_fn(|context| self.lock().poll_close(context))).await;
    }
}

impl From<TcpStream> for Transport {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl From<SslStream<Coalesced>> for Transport {
    fn from(stream: SslStream<Coalesced>) -> Self {
        Self::Tls(Box::new(stream))
    }
}

impl From<UnixStream> for Transport {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}
