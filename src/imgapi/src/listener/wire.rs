//! A plain connection that bodies of answers can write to by themselves.
//!
//! The HTTP library copies every byte of a body into its own buffer. Long bodies go around it: a body waits till the head is
//! written, then writes to the socket itself, files by `sendfile`. Head, body and next request are one task of one thread, so
//! that nothing can come in between.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use actix_rt::net::{ActixStream, Ready, TcpStream};
use rustix::net::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

/// See the module's text. Clones are the same connection.
#[derive(Clone)]
pub(crate) struct Wire {
    stream: Arc<TcpStream>,
    /// Who waits till everything that was handed to the connection is written.
    waiting: Rc<Cell<Option<Waker>>>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        // Without it small answers on kept connections stall for 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection is gone already");
        }
        Self {
            stream: Arc::new(stream),
            waiting: Rc::default(),
        }
    }

    /// The socket, for a thread that may block on a disk.
    pub(crate) fn socket(&self) -> Arc<TcpStream> {
        Arc::clone(&self.stream)
    }

    /// Wakes once what the HTTP library holds is written.
    pub(crate) fn wake_when_flushed(&self, waker: &Waker) {
        self.waiting.set(Some(waker.clone()));
    }

    /// Whether nobody waits for that any more.
    pub(crate) fn is_flushed(&self) -> bool {
        let waiting = self.waiting.take();
        let is_flushed = waiting.is_none();
        self.waiting.set(waiting);
        is_flushed
    }

    /// Writes, or waits till there is room.
    pub(crate) fn poll_write_some(
        &self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write_vectored(parts) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Waits till there is room for a good piece. The kernel is asked, because the room is filled outside of the runtime's view.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            let has_room = self.stream.try_io(Interest::WRITABLE, || {
                let mut fds = [rustix::event::PollFd::new(
                    &*self.stream,
                    rustix::event::PollFlags::OUT,
                )];
                match rustix::event::poll(&mut fds, Some(&rustix::event::Timespec::default())) {
                    Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
                    Ok(_) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            });
            match has_room {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Ends the connection: what was promised on it cannot be kept.
    pub(crate) fn cut(&self) {
        // It may have ended by itself.
        let _ = rustix::net::shutdown(&*self.stream, Shutdown::Both);
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_some(cx, &[IoSlice::new(bytes)])
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The library flushes when its buffer is empty.
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = rustix::net::shutdown(&*self.stream, Shutdown::Write);
        Poll::Ready(result.map_err(io::Error::from))
    }
}

impl ActixStream for Wire {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&*self.stream, cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&*self.stream, cx)
    }
}
