//! Filling the read buffer and emptying the write buffer: the only places that touch the stream.

use std::future::{Future, poll_fn};
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use tokio::time::Instant;

use super::{Conn, ConnError, KEPT_BUFFER_BYTES, READ_AHEAD_BYTES, READ_BUFFER_BYTES, Transport};

/// How long the next byte may take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// As long as the peer likes: between calls, and between the messages of a stream.
    Endless,
    /// The stall timeout: inside a message or a transfer.
    Stall,
}

impl Conn {
    /// Waits until more bytes are in the read buffer. 0 at the end of the stream.
    pub(super) async fn fill(&mut self, patience: Patience) -> Result<usize, ConnError> {
        if self.end_seen {
            return Ok(0);
        }
        if self.received.is_empty() && self.received.capacity() > KEPT_BUFFER_BYTES {
            self.received = BytesMut::new();
        }
        let timing = self.timing(patience);
        let (transport, received) = (&mut self.transport, &mut self.received);
        let bytes = timing
            .limit(poll_fn(|context| poll_fill(transport, received, context)))
            .await?;
        self.end_seen = bytes == 0;
        Ok(bytes)
    }

    /// Reads what is there without waiting. True if anything was.
    pub(super) fn fill_now(&mut self) -> Result<bool, ConnError> {
        if self.end_seen || self.received.len() >= READ_AHEAD_BYTES {
            return Ok(false);
        }
        let mut context = Context::from_waker(std::task::Waker::noop());
        match poll_fill(&mut self.transport, &mut self.received, &mut context) {
            Poll::Pending => Ok(false),
            Poll::Ready(result) => {
                let bytes = result?;
                self.end_seen = bytes == 0;
                Ok(bytes > 0)
            }
        }
    }

    /// Reads from the stream into `target` until it is full or nothing more is there at once; waits for the first byte.
    pub(super) async fn read_direct(
        &mut self,
        target: &mut (impl BufMut + ?Sized),
    ) -> Result<usize, ConnError> {
        if !target.has_remaining_mut() {
            return Ok(0);
        }
        let timing = self.timing(Patience::Stall);
        let (transport, end_seen) = (&mut self.transport, &mut self.end_seen);
        let mut total = 0;
        let bytes = timing
            .limit(poll_fn(|context| {
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
            }))
            .await?;
        if bytes == 0 {
            Err(ConnError::Truncated)
        } else {
            Ok(bytes)
        }
    }

    /// Sends the write buffer. May be dropped and called again.
    pub async fn flush(&mut self) -> Result<(), ConnError> {
        if self.torn {
            return Err(ConnError::Torn);
        }
        while self.sent_bytes < self.unsent.len() {
            let timing = self.timing(Patience::Stall);
            let (transport, received, end_seen) =
                (&mut self.transport, &mut self.received, &mut self.end_seen);
            let data = &self.unsent[self.sent_bytes..];
            let written = timing
                .limit(poll_fn(|context| {
                    poll_send(transport, data, received, end_seen, context)
                }))
                .await?;
            self.sent_bytes += written;
        }
        self.sent_bytes = 0;
        self.unsent.clear();
        if self.unsent.capacity() > KEPT_BUFFER_BYTES {
            self.unsent = Vec::new();
        }
        Ok(())
    }

    /// Sends `data` past the write buffer, which must be empty. If dropped half-way the connection is unusable.
    pub(super) async fn send_direct(&mut self, mut data: &[u8]) -> Result<(), ConnError> {
        self.torn = true;
        while !data.is_empty() {
            let timing = self.timing(Patience::Stall);
            let (transport, received, end_seen) =
                (&mut self.transport, &mut self.received, &mut self.end_seen);
            let written = timing
                .limit(poll_fn(|context| {
                    poll_send(transport, data, received, end_seen, context)
                }))
                .await?;
            data = &data[written..];
        }
        self.torn = false;
        Ok(())
    }

    fn timing(&self, patience: Patience) -> Timing {
        let stall = (patience == Patience::Stall).then_some(self.stall_timeout);
        Timing {
            stall,
            deadline: self.deadline,
        }
    }
}

fn poll_fill(
    transport: &mut Transport,
    received: &mut BytesMut,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    if received.capacity() - received.len() < READ_BUFFER_BYTES / 4 {
        received.reserve(READ_BUFFER_BYTES);
    }
    let mut total = 0;
    // Several rounds, because TLS yields one record of at most 16 KiB at a time.
    while total < READ_BUFFER_BYTES && received.len() < received.capacity() {
        match transport.poll_read(context, received) {
            Poll::Ready(Ok(0)) => break,
            Poll::Ready(Ok(bytes)) => total += bytes,
            Poll::Pending if total == 0 => return Poll::Pending,
            Poll::Ready(Err(error)) if total == 0 => return Poll::Ready(Err(error)),
            // An error shows again at the next read.
            Poll::Pending | Poll::Ready(Err(_)) => break,
        }
    }
    Poll::Ready(Ok(total))
}

/// Writes; while that is held up, takes in what the peer sends, so that two peers that both send do not wait for each other.
fn poll_send(
    transport: &mut Transport,
    data: &[u8],
    received: &mut BytesMut,
    end_seen: &mut bool,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    match transport.poll_write(context, data) {
        Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        Poll::Ready(result) => return Poll::Ready(result),
        Poll::Pending => {}
    }
    while !*end_seen && received.len() < READ_AHEAD_BYTES {
        match poll_fill(transport, received, context) {
            Poll::Ready(Ok(0)) => *end_seen = true,
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => break,
        }
    }
    Poll::Pending
}

struct Timing {
    stall: Option<Duration>,
    deadline: Option<Instant>,
}

impl Timing {
    async fn limit<T>(self, work: impl Future<Output = io::Result<T>>) -> Result<T, ConnError> {
        let stall_end = self.stall.map(|stall| Instant::now() + stall);
        let end = match (stall_end, self.deadline) {
            (Some(stall_end), Some(deadline)) => Some(stall_end.min(deadline)),
            (one, other) => one.or(other),
        };
        let Some(end) = end else { return Ok(work.await?) };
        match tokio::time::timeout_at(end, work).await {
            Ok(result) => Ok(result?),
            Err(_) if self.deadline.is_some_and(|deadline| deadline <= end) => {
                Err(ConnError::DeadlineExceeded)
            }
            Err(_) => Err(ConnError::Stalled(self.stall.unwrap_or_default())),
        }
    }
}
