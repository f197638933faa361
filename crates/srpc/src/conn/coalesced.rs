//! TCP below TLS, with fewer and larger system calls for bulk data.
//!
//! OpenSSL reads and writes one record of at most 16 KiB at a time. At a gigabyte per second the calls, and the wake-up that
//! each write causes at the other end, cost as much as the encryption. Idle connections hold no buffer here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::io::poll_read_buf;

/// What is collected before it is sent, and received at once.
const BULK_BYTES: usize = 128 << 10;
/// A read that brings this much was one of many.
const BULK_READ_BYTES: usize = 16 << 10;

/// A TCP stream that collects what is written to it while it is corked, and reads ahead when much is coming.
pub struct Coalesced {
    stream: TcpStream,
    unsent: BytesMut,
    corked: bool,
    received: BytesMut,
    read_ahead: bool,
}

impl Coalesced {
    /// Starts without a cork: everything goes straight through.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            unsent: BytesMut::new(),
            corked: false,
            received: BytesMut::new(),
            read_ahead: false,
        }
    }

    /// From now on writes are collected, until the next flush.
    pub(super) fn cork(&mut self) {
        self.corked = true;
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, &self.unsent))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Coalesced {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.received.is_empty() {
            if !this.read_ahead {
                let before = target.filled().len();
                ready!(Pin::new(&mut this.stream).poll_read(context, target))?;
                this.read_ahead = target.filled().len() - before >= BULK_READ_BYTES;
                return Poll::Ready(Ok(()));
            }
            this.received.reserve(BULK_BYTES);
            let room = (&mut this.received).limit(BULK_BYTES);
            let result = poll_read_buf(Pin::new(&mut this.stream), context, &mut { room });
            if result.is_pending() {
                // Perhaps the end of a transfer, and nothing more for hours.
                this.received = BytesMut::new();
                this.read_ahead = false;
            }
            ready!(result)?;
        }
        let bytes = this.received.len().min(target.remaining());
        target.put_slice(&this.received[..bytes]);
        this.received.advance(bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Coalesced {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.corked {
            ready!(this.poll_send(context))?;
            return Pin::new(&mut this.stream).poll_write(context, data);
        }
        if this.unsent.len() + data.len() > BULK_BYTES {
            ready!(this.poll_send(context))?;
            this.unsent.reserve(BULK_BYTES);
        }
        this.unsent.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        if this.corked {
            this.corked = false;
            this.unsent = BytesMut::new();
        }
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}
