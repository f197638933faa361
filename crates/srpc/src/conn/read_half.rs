//! The receiving direction: the read buffer and how it is filled.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker};

use bytes::{BufMut, BytesMut};

use super::timing::{Patience, Timing};
use super::transport::Shared;
use super::{ConnError, KEPT_BUFFER_BYTES, READ_AHEAD_BYTES, Transport};
use crate::coder::Coder;
use crate::json::Scanner;

/// What is read from the stream at a time, where the stream has it.
pub const READ_BUFFER_BYTES: usize = 64 << 10;

/// What a connection holds that waits for its peer to say something.
const IDLE_BUFFER_BYTES: usize = 8 << 10;

/// What the peer sends: lines, values and raw bytes from one buffer.
pub struct ReadHalf {
    transport: Shared,
    pub(super) coder: Coder,
    pub(super) received: BytesMut,
    pub(super) decoder: gob::Decoder,
    pub(super) limits: gob::Limits,
    /// How far the end of an arriving JSON value has been looked for.
    pub(super) scanner: Scanner,
    /// The LF that ends a JSON value is skipped when the next thing is read: waiting for it at once would hang on a peer
    /// that leaves it out.
    pub(super) skip_line_end: bool,
    end_seen: bool,
    pub(super) timing: Timing,
}

impl ReadHalf {
    pub(super) fn new(transport: Shared, coder: Coder, received: BytesMut) -> Self {
        let limits = gob::Limits::default();
        Self {
            transport,
            coder,
            received,
            decoder: gob::Decoder::new(limits.clone()),
            limits,
            scanner: Scanner::default(),
            skip_line_end: false,
            end_seen: false,
            timing: Timing::new(),
        }
    }

    /// See [`Conn::reset_decoder`](super::Conn::reset_decoder).
    pub fn reset_decoder(&mut self) {
        self.decoder = gob::Decoder::new(self.limits.clone());
        self.scanner = Scanner::default();
    }

    /// See [`Conn::set_limits`](super::Conn::set_limits).
    pub fn set_limits(&mut self, limits: gob::Limits) {
        self.limits = limits;
        self.reset_decoder();
    }

    /// What was received belongs to a stream that is gone.
    pub(super) fn forget_received(&mut self) {
        self.received.clear();
        self.skip_line_end = false;
        self.end_seen = false;
    }

    /// Waits until more bytes are in the read buffer. 0 at the end of the stream.
    pub(super) async fn fill(&mut self, patience: Patience) -> Result<usize, ConnError> {
        let kept_bytes = if patience == Patience::Endless {
            IDLE_BUFFER_BYTES
        } else {
            KEPT_BUFFER_BYTES
        };
        if self.received.is_empty() && self.received.capacity() > kept_bytes {
            self.received = BytesMut::new();
        }
        let timing = self.timing;
        timing
            .limit(patience, poll_fn(|context| self.poll_fill(context)))
            .await
    }

    /// Reads what is there without waiting. True if anything was.
    pub(super) fn fill_now(&mut self) -> Result<bool, ConnError> {
        if self.received.len() >= READ_AHEAD_BYTES {
            return Ok(false);
        }
        match self.poll_fill(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Ok(false),
            Poll::Ready(result) => Ok(result? > 0),
        }
    }

    /// Takes in what arrives while the other direction is held up.
    pub(super) fn poll_ahead(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while !self.end_seen && self.received.len() < READ_AHEAD_BYTES {
            match self.poll_fill(context) {
                Poll::Ready(result) => {
                    result?;
                }
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.end_seen {
            return Poll::Ready(Ok(0));
        }
        if self.received.capacity() - self.received.len() < IDLE_BUFFER_BYTES / 4 {
            let first = self.received.is_empty();
            self.received.reserve(if first {
                IDLE_BUFFER_BYTES
            } else {
                READ_BUFFER_BYTES
            });
        }
        let room = (self.received.capacity() - self.received.len()).min(READ_BUFFER_BYTES);
        let mut target = (&mut self.received).limit(room);
        poll_read_ready(
            &mut self.transport.lock(),
            &mut target,
            &mut self.end_seen,
            context,
        )
    }

    /// Reads from the stream past the buffer, which must be empty, until `target` is full or nothing more is there at once.
    /// Waits for the first byte; the end of the stream is an error.
    pub(super) async fn read_direct(&mut self, target: &mut impl BufMut) -> Result<usize, ConnError> {
        let timing = self.timing;
        let bytes = timing
            .limit(
                Patience::Stall,
                poll_fn(|context| {
                    poll_read_ready(&mut self.transport.lock(), target, &mut self.end_seen, context)
                }),
            )
            .await?;
        if bytes == 0 {
            Err(ConnError::Truncated)
        } else {
            Ok(bytes)
        }
    }
}

/// Reads until `target` is full or nothing more is there; in several rounds, because TLS yields one record of at most 16 KiB
/// at a time. 0 at the end of the stream.
fn poll_read_ready(
    transport: &mut Transport,
    target: &mut impl BufMut,
    end_seen: &mut bool,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut total = 0;
    while target.has_remaining_mut() && !*end_seen {
        match transport.poll_read(context, target) {
            Poll::Ready(Ok(0)) => *end_seen = true,
            Poll::Ready(Ok(bytes)) => total += bytes,
            Poll::Pending if total == 0 => return Poll::Pending,
            Poll::Ready(Err(error)) if total == 0 => return Poll::Ready(Err(error)),
            // An error shows again at the next read.
            Poll::Pending | Poll::Ready(Err(_)) => break,
        }
    }
    Poll::Ready(Ok(total))
}
