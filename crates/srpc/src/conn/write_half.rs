//! The sending direction.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use super::timing::{Patience, Timing};
use super::transport::Shared;
use super::{ConnError, KEPT_BUFFER_BYTES, ReadHalf};
use crate::coder::{Coder, Message};
use crate::json;

/// What is collected before it is sent by itself.
pub const WRITE_BUFFER_BYTES: usize = 64 << 10;
/// Slices of this size and more skip the write buffer.
pub const WRITE_THROUGH_BYTES: usize = 32 << 10;

/// What we send to the peer. All of it goes through one buffer, except for large raw slices.
pub struct WriteHalf {
    transport: Shared,
    coder: Coder,
    unsent: Vec<u8>,
    /// Bytes at the front of `unsent` that are already sent.
    sent_bytes: usize,
    encoder: gob::Encoder,
    /// The stream may hold on to what was written.
    unflushed: bool,
    /// A raw write was dropped half-way: what the peer gets next would not be what it expects.
    torn: bool,
    pub(super) timing: Timing,
}

impl WriteHalf {
    pub(super) fn new(transport: Shared, coder: Coder) -> Self {
        Self {
            transport,
            coder,
            unsent: Vec::new(),
            sent_bytes: 0,
            encoder: gob::Encoder::new(),
            unflushed: false,
            torn: false,
            timing: Timing::new(),
        }
    }

    /// See [`Conn::reset_encoder`](super::Conn::reset_encoder).
    pub fn reset_encoder(&mut self) {
        self.encoder = gob::Encoder::new();
    }

    /// Appends bytes to the write buffer and sends it when it is full; [`WriteHalf::flush`] sends the rest.
    pub async fn write_all(&mut self, data: &[u8]) -> Result<(), ConnError> {
        self.push(data);
        self.flush_if_full().await
    }

    /// Writes `text` as one line: line ends in it become spaces.
    pub async fn write_line(&mut self, text: &str) -> Result<(), ConnError> {
        self.push_line(text);
        self.flush_if_full().await
    }

    /// Appends a value to the write buffer, and sends the buffer when it is full; [`WriteHalf::flush`] sends the rest.
    ///
    /// # Errors
    /// Besides failures to send: a value that cannot be JSON. Nothing of it was written then.
    pub async fn write_value<T: Message>(&mut self, value: &T) -> Result<(), ConnError> {
        self.push_value(value)?;
        self.flush_if_full().await
    }

    /// Writes raw bytes; large slices skip the write buffer. If dropped half-way the connection is unusable.
    pub async fn write_raw(&mut self, data: &[u8]) -> Result<(), ConnError> {
        if data.len() < WRITE_THROUGH_BYTES {
            return self.write_all(data).await;
        }
        self.flush().await?;
        self.send_direct(data, None).await
    }

    /// Sends the write buffer. May be dropped and called again.
    pub async fn flush(&mut self) -> Result<(), ConnError> {
        self.send_buffer(None).await
    }

    async fn flush_if_full(&mut self) -> Result<(), ConnError> {
        if self.is_full() {
            self.flush().await
        } else {
            Ok(())
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.unsent.len() >= WRITE_BUFFER_BYTES
    }

    pub(super) fn push(&mut self, data: &[u8]) {
        self.unsent.extend_from_slice(data);
    }

    pub(super) fn push_line(&mut self, text: &str) {
        let line = text.bytes().map(|byte| {
            if byte == b'\n' || byte == b'\r' {
                b' '
            } else {
                byte
            }
        });
        self.unsent.extend(line);
        self.unsent.push(b'\n');
    }

    pub(super) fn push_value<T: Message>(&mut self, value: &T) -> Result<(), ConnError> {
        match self.coder {
            Coder::Gob => self.encoder.encode(value, &mut self.unsent),
            Coder::Json => {
                let start = self.unsent.len();
                if let Err(error) = json::write(value, &mut self.unsent) {
                    self.unsent.truncate(start);
                    return Err(ConnError::Json(error));
                }
                self.unsent.push(b'\n');
            }
        }
        Ok(())
    }

    /// What ends a request-reply call: an empty line and the value, or the reason why there is none.
    pub(super) fn push_reply<T: Message>(&mut self, reply: &T) -> Result<(), String> {
        let start = self.unsent.len();
        self.unsent.push(b'\n');
        self.push_value(reply).map_err(|error| {
            self.unsent.truncate(start);
            let text = error.to_string();
            self.push_line(&text);
            text
        })
    }

    /// Sends the write buffer; `reader` takes in what arrives while that is held up.
    pub(super) async fn send_buffer(&mut self, mut reader: Option<&mut ReadHalf>) -> Result<(), ConnError> {
        if self.torn {
            return Err(ConnError::Torn);
        }
        let timing = self.timing;
        while self.sent_bytes < self.unsent.len() {
            let data = &self.unsent[self.sent_bytes..];
            let send = poll_fn(|context| poll_send(&self.transport, data, reader.as_deref_mut(), context));
            self.sent_bytes += timing.limit(Patience::Stall, send).await?;
            self.unflushed = true;
        }
        self.flush_transport(reader).await?;
        self.sent_bytes = 0;
        self.unsent.clear();
        if self.unsent.capacity() > KEPT_BUFFER_BYTES {
            self.unsent = Vec::new();
        }
        Ok(())
    }

    /// Sends `data` past the write buffer, which must be empty.
    pub(super) async fn send_direct(
        &mut self,
        mut data: &[u8],
        mut reader: Option<&mut ReadHalf>,
    ) -> Result<(), ConnError> {
        let timing = self.timing;
        self.torn = true;
        while !data.is_empty() {
            let send = poll_fn(|context| poll_send(&self.transport, data, reader.as_deref_mut(), context));
            data = &data[timing.limit(Patience::Stall, send).await?..];
        }
        self.unflushed = true;
        self.flush_transport(reader).await?;
        self.torn = false;
        Ok(())
    }

    async fn flush_transport(&mut self, mut reader: Option<&mut ReadHalf>) -> Result<(), ConnError> {
        if self.unflushed {
            let flush = poll_fn(|context| {
                let flushed = self.transport.lock().poll_flush(context);
                while_held_up(flushed, reader.as_deref_mut(), context)
            });
            self.timing.limit(Patience::Stall, flush).await?;
            self.unflushed = false;
        }
        Ok(())
    }
}

fn poll_send(
    transport: &Shared,
    data: &[u8],
    reader: Option<&mut ReadHalf>,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let written = transport.lock().poll_write(context, data);
    match written {
        Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        other => while_held_up(other, reader, context),
    }
}

/// While sending is pending, `reader` takes in what the peer sends, so that two peers that both send do not wait for each other.
fn while_held_up<T>(
    sending: Poll<io::Result<T>>,
    reader: Option<&mut ReadHalf>,
    context: &mut Context<'_>,
) -> Poll<io::Result<T>> {
    if sending.is_pending()
        && let Some(reader) = reader
        && let Err(error) = reader.poll_ahead(context)
    {
        return Poll::Ready(Err(error));
    }
    sending
}
