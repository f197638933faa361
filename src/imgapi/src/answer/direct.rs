//! Bodies that write to the connection by themselves, behind the head that the HTTP library writes.

use std::fs::File;
use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_rt::net::TcpStream;
use bytes::{Buf as _, Bytes};
use rustix::fs::sendfile;
use rustix::io::Errno;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep};

use crate::limits::{SEND_STALL, SENT_AT_ONCE_BYTES};
use crate::listener::Wire;

/// What is sent.
pub(crate) enum Source {
    /// These bytes.
    Bytes(Bytes),
    /// A part of a file.
    File(Sending),
}

/// A part of a file.
pub(crate) struct Sending {
    file: Arc<File>,
    at: u64,
    left: u64,
    /// A piece that a thread sends which may block on the disk.
    working: Option<JoinHandle<io::Result<u64>>>,
}

/// A body on its way.
pub(crate) struct Direct {
    wire: Wire,
    length: u64,
    source: Source,
    has_begun: bool,
    is_over: bool,
    stalled: Pin<Box<Sleep>>,
}

impl Direct {
    pub(crate) fn bytes(wire: Wire, bytes: Bytes) -> Self {
        Self::new(wire, bytes.len() as u64, Source::Bytes(bytes))
    }

    /// `length` bytes from `start` on.
    pub(crate) fn file(wire: Wire, file: File, start: u64, length: u64) -> Self {
        let sending = Sending {
            file: Arc::new(file),
            at: start,
            left: length,
            working: None,
        };
        Self::new(wire, length, Source::File(sending))
    }

    fn new(wire: Wire, length: u64, source: Source) -> Self {
        Self {
            wire,
            length,
            source,
            has_begun: false,
            is_over: false,
            stalled: Box::pin(sleep(SEND_STALL)),
        }
    }

    /// How long it is.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Goes on. Ready when everything is sent or the connection is lost; then the rest cannot be sent by anybody.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_over {
            return Poll::Ready(());
        }
        if !self.has_begun {
            // The head is in the library's buffer, which it writes when a body has nothing for it.
            self.has_begun = true;
            self.wire.wake_when_flushed(cx.waker());
        }
        if !self.wire.is_flushed() {
            return Poll::Pending;
        }
        let result = match self.poll_send(cx) {
            Poll::Ready(result) => result,
            Poll::Pending if self.stalled.as_mut().poll(cx).is_pending() => return Poll::Pending,
            Poll::Pending => Err(io::ErrorKind::TimedOut.into()),
        };
        self.is_over = true;
        if let Err(error) = result {
            tracing::debug!(%error, "an answer was cut off");
            self.wire.cut();
        }
        Poll::Ready(())
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let sent = match &mut self.source {
                Source::Bytes(bytes) if bytes.is_empty() => return Poll::Ready(Ok(())),
                Source::Bytes(bytes) => {
                    let sent = ready!(self.wire.poll_write_some(cx, &[IoSlice::new(bytes)]))?;
                    bytes.advance(sent);
                    sent as u64
                }
                Source::File(sending) if sending.left == 0 => return Poll::Ready(Ok(())),
                Source::File(sending) => ready!(sending.poll(&self.wire, cx))?,
            };
            if sent > 0 {
                self.stalled.as_mut().reset(Instant::now() + SEND_STALL);
            }
        }
    }
}

impl Sending {
    /// Sends a piece; how long it was.
    fn poll(&mut self, wire: &Wire, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        if self.working.is_none() {
            ready!(wire.poll_room(cx))?;
        }
        let working = self.working.get_or_insert_with(|| {
            let (file, socket) = (Arc::clone(&self.file), wire.socket());
            let (at, most) = (self.at, self.left.min(SENT_AT_ONCE_BYTES));
            tokio::task::spawn_blocking(move || send(&socket, &file, at, most))
        });
        let sent = ready!(Pin::new(working).poll(cx));
        self.working = None;
        let sent = sent.map_err(io::Error::other).and_then(|sent| sent)?;
        self.at += sent;
        self.left -= sent;
        Poll::Ready(Ok(sent))
    }
}

/// Sends till there is no room, at most so much.
fn send(socket: &TcpStream, file: &File, at: u64, most: u64) -> io::Result<u64> {
    let mut offset = at;
    while offset < at + most {
        // Pieces fit into any number of bytes.
        let length = usize::try_from(at + most - offset).unwrap_or(usize::MAX);
        match sendfile(socket, file, Some(&mut offset), length) {
            Ok(0) => {
                tracing::error!("a file became shorter while it was sent");
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(offset - at)
}
