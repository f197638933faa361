//! One buffered duplex byte stream with a value coder on top, used by both sides.
//!
//! There is one read buffer, shared by the line reader, the value decoder and raw reads, because on this wire values, text
//! lines and raw bytes follow each other directly (srpc.md §3.3). There is one write buffer, sent when it is full and
//! when [`Conn::flush`] says so. The two directions are halves that can be used side by side: [`Conn::split`].

mod coalesced;
mod error;
mod read_half;
mod read_raw;
mod read_value;
mod timing;
mod transport;
mod write_half;

use std::time::Duration;

use bytes::BytesMut;
use tokio::time::Instant;

use crate::coder::{Coder, Message};

pub use coalesced::Coalesced;
pub use error::ConnError;
pub use read_half::{READ_BUFFER_BYTES, ReadHalf};
pub use read_raw::RAW_READ_BYTES;
pub use timing::STALL_TIMEOUT;
pub use transport::{AnyStream, Transport};
pub use write_half::{WRITE_BUFFER_BYTES, WRITE_THROUGH_BYTES, WriteHalf};

use transport::Shared;

/// What may arrive, unasked for, while we are held up in sending or wait for the peer to leave. It keeps two peers that
/// both send from waiting for each other.
pub const READ_AHEAD_BYTES: usize = 4 << 20;
/// Buffers that have grown beyond this for one large value are given back.
pub const KEPT_BUFFER_BYTES: usize = 1 << 20;

/// One established SRPC byte stream. After an error the stream is in no usable state, unless
/// [`ConnError::keeps_connection`].
pub struct Conn {
    transport: Shared,
    coder: Coder,
    reader: ReadHalf,
    writer: WriteHalf,
}

impl Conn {
    /// A connection over an established stream. `received` is what was read from it already.
    pub fn new(transport: impl Into<Transport>, coder: Coder, received: BytesMut) -> Self {
        let transport = Shared::new(transport.into());
        Self {
            reader: ReadHalf::new(transport.clone(), coder, received),
            writer: WriteHalf::new(transport.clone(), coder),
            transport,
            coder,
        }
    }

    /// Both directions, to be used side by side from one task.
    pub fn split(&mut self) -> (&mut ReadHalf, &mut WriteHalf) {
        (&mut self.reader, &mut self.writer)
    }

    /// How values are written.
    pub fn coder(&self) -> Coder {
        self.coder
    }

    /// What the stream below is, for logs: `TCP`, `TLS`, `Unix`.
    pub fn transport_kind(&self) -> &'static str {
        self.transport.lock().kind()
    }

    /// A fresh encoder, as at the start of a call and, in a few protocols, in the middle (srpc.md §3.3): type definitions
    /// are sent again.
    pub fn reset_encoder(&mut self) {
        self.writer.reset_encoder();
    }

    /// A fresh decoder.
    pub fn reset_decoder(&mut self) {
        self.reader.reset_decoder();
    }

    /// What decoding may cost from now on. Implies [`Conn::reset_decoder`].
    pub fn set_limits(&mut self, limits: gob::Limits) {
        self.reader.set_limits(limits);
    }

    /// How long a message or transfer may stand still. [`STALL_TIMEOUT`] unless set.
    pub fn set_stall_timeout(&mut self, stall_timeout: Duration) {
        self.reader.timing.stall_timeout = stall_timeout;
        self.writer.timing.stall_timeout = stall_timeout;
    }

    /// The moment after which every read and write fails; `None` takes it away.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.reader.timing.deadline = deadline;
        self.writer.timing.deadline = deadline;
    }

    /// See [`ReadHalf::read_line`].
    pub async fn read_line(&mut self, limit: usize) -> Result<Option<String>, ConnError> {
        self.reader.read_line(limit).await
    }

    /// See [`ReadHalf::read_value`].
    pub async fn read_value<T: Message>(&mut self) -> Result<T, ConnError> {
        self.reader.read_value().await
    }

    /// See [`ReadHalf::read_prompt_value`].
    pub async fn read_prompt_value<T: Message>(&mut self) -> Result<T, ConnError> {
        self.reader.read_prompt_value().await
    }

    /// See [`ReadHalf::try_read_value`].
    pub fn try_read_value<T: Message>(&mut self) -> Result<Option<T>, ConnError> {
        self.reader.try_read_value()
    }

    /// See [`ReadHalf::fill_buf`].
    pub async fn fill_buf(&mut self) -> Result<&[u8], ConnError> {
        self.reader.fill_buf().await
    }

    /// See [`ReadHalf::consume`].
    pub fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
    }

    /// See [`ReadHalf::read_exact`].
    pub async fn read_exact(&mut self, target: &mut [u8]) -> Result<(), ConnError> {
        self.reader.read_exact(target).await
    }

    /// See [`ReadHalf::read_raw_into`].
    pub async fn read_raw_into(&mut self, target: &mut Vec<u8>, max: u64) -> Result<usize, ConnError> {
        self.reader.read_raw_into(target, max).await
    }

    /// See [`ReadHalf::closed`].
    pub async fn closed(&mut self) -> ConnError {
        self.reader.closed().await
    }

    /// See [`WriteHalf::write_all`].
    pub async fn write_all(&mut self, data: &[u8]) -> Result<(), ConnError> {
        self.writer.push(data);
        self.flush_if_full().await
    }

    /// See [`WriteHalf::write_line`].
    pub async fn write_line(&mut self, text: &str) -> Result<(), ConnError> {
        self.writer.push_line(text);
        self.flush_if_full().await
    }

    /// See [`WriteHalf::write_value`].
    pub async fn write_value<T: Message>(&mut self, value: &T) -> Result<(), ConnError> {
        self.writer.push_value(value)?;
        self.flush_if_full().await
    }

    /// See [`WriteHalf::write_raw`]. While the peer does not take it, up to [`READ_AHEAD_BYTES`] of what it sends are taken in.
    pub async fn write_raw(&mut self, data: &[u8]) -> Result<(), ConnError> {
        if data.len() < WRITE_THROUGH_BYTES {
            return self.write_all(data).await;
        }
        self.flush().await?;
        self.writer.send_direct(data, Some(&mut self.reader)).await
    }

    /// See [`WriteHalf::flush`]. While the peer does not take it, up to [`READ_AHEAD_BYTES`] of what it sends are taken in.
    pub async fn flush(&mut self) -> Result<(), ConnError> {
        self.writer.send_buffer(Some(&mut self.reader)).await
    }

    async fn flush_if_full(&mut self) -> Result<(), ConnError> {
        if self.writer.is_full() {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// Writes what ends a successful request-reply call, or the error line if the reply cannot be written in this coding.
    pub(crate) async fn write_reply<T: Message>(
        &mut self,
        reply: &T,
    ) -> Result<Result<(), String>, ConnError> {
        let result = self.writer.push_reply(reply);
        self.flush_if_full().await?;
        Ok(result)
    }

    /// Sends what is buffered and goes on with another stream, as the Unix upgrade does (srpc.md §6). The old stream is closed.
    pub(crate) async fn replace_transport(&mut self, transport: Transport) -> Result<(), ConnError> {
        self.flush().await?;
        let mut old = std::mem::replace(&mut *self.transport.lock(), transport);
        self.reader.forget_received();
        old.close().await;
        Ok(())
    }

    /// Sends what is buffered, then ends the stream towards the peer. Waits for neither longer than a few seconds.
    pub async fn close(&mut self) {
        // A peer that is gone already is no news.
        let _ = tokio::time::timeout(transport::CLOSE_TIMEOUT, self.flush()).await;
        self.transport.close().await;
    }
}
