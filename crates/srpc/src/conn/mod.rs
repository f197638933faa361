//! One buffered duplex byte stream with a value coder on top, used by both sides.
//!
//! There is one read buffer, shared by the line reader, the value decoder and raw reads, because on this wire values, text
//! lines and raw bytes follow each other directly (srpc.md §3.3). There is one write buffer, sent when it is full and
//! when [`Conn::flush`] says so.

mod error;
mod io;
mod raw;
mod transport;
mod value;

use std::time::Duration;

use bytes::BytesMut;
use tokio::time::Instant;

use crate::coder::Coder;
use crate::json::Scanner;

pub use error::ConnError;
pub use raw::RAW_READ_BYTES;
pub use transport::{AnyStream, Transport};

/// What is collected before it is sent by itself.
pub const WRITE_BUFFER_BYTES: usize = 64 << 10;
/// What is read from the socket at a time, at least, where the socket has it.
pub const READ_BUFFER_BYTES: usize = 64 << 10;
/// Slices of this size and more skip the write buffer.
pub const WRITE_THROUGH_BYTES: usize = 32 << 10;
/// What may arrive, unasked for, while we are held up in sending. It keeps two peers that both send from waiting for each other.
pub const READ_AHEAD_BYTES: usize = 4 << 20;
/// Buffers that have grown beyond this for one large value are given back.
pub const KEPT_BUFFER_BYTES: usize = 1 << 20;
/// No byte for this long inside a message or a transfer, in either direction, ends the connection.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(300);

/// One established SRPC byte stream. See the module's text; errors leave the stream in no usable state unless
/// [`ConnError::keeps_connection`].
pub struct Conn {
    transport: Transport,
    coder: Coder,
    received: BytesMut,
    unsent: Vec<u8>,
    /// Bytes at the front of `unsent` that are already sent.
    sent_bytes: usize,
    encoder: gob::Encoder,
    decoder: gob::Decoder,
    limits: gob::Limits,
    /// The LF that ends a JSON value is skipped when the next thing is read: waiting for it at once would hang on a peer
    /// that leaves it out.
    skip_line_end: bool,
    /// How far the end of an arriving JSON value has been looked for.
    scanner: Scanner,
    end_seen: bool,
    /// A write was dropped half-way: what the peer gets next would not be what it expects.
    torn: bool,
    stall_timeout: Duration,
    deadline: Option<Instant>,
}

impl Conn {
    /// A connection over an established stream. `received` is what was read from it already.
    pub fn new(transport: impl Into<Transport>, coder: Coder, received: BytesMut) -> Self {
        let limits = gob::Limits::default();
        Self {
            transport: transport.into(),
            coder,
            received,
            unsent: Vec::new(),
            sent_bytes: 0,
            encoder: gob::Encoder::new(),
            decoder: gob::Decoder::new(limits.clone()),
            limits,
            skip_line_end: false,
            scanner: Scanner::default(),
            end_seen: false,
            torn: false,
            stall_timeout: STALL_TIMEOUT,
            deadline: None,
        }
    }

    /// How values are written.
    pub fn coder(&self) -> Coder {
        self.coder
    }

    /// The stream below.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Starts both directions afresh, as between calls: type definitions are sent again and the peer's are expected again.
    pub fn reset_coders(&mut self) {
        self.reset_encoder();
        self.reset_decoder();
    }

    /// A fresh encoder in mid-call, as a few protocols have it (srpc.md §3.3).
    pub fn reset_encoder(&mut self) {
        self.encoder = gob::Encoder::new();
    }

    /// A fresh decoder in mid-call.
    pub fn reset_decoder(&mut self) {
        self.decoder = gob::Decoder::new(self.limits.clone());
        self.scanner = Scanner::default();
    }

    /// What decoding may cost from now on. Implies [`Conn::reset_decoder`].
    pub fn set_limits(&mut self, limits: gob::Limits) {
        self.limits = limits;
        self.reset_decoder();
    }

    /// How long a message or transfer may stand still. [`STALL_TIMEOUT`] unless set.
    pub fn set_stall_timeout(&mut self, stall_timeout: Duration) {
        self.stall_timeout = stall_timeout;
    }

    /// The moment after which every read and write fails; `None` takes it away.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Sends what is buffered and goes on with another stream, as the Unix upgrade does (srpc.md §6). The old stream is closed.
    pub(crate) async fn replace_transport(&mut self, transport: Transport) -> Result<(), ConnError> {
        self.flush().await?;
        let mut old = std::mem::replace(&mut self.transport, transport);
        self.received.clear();
        self.skip_line_end = false;
        self.end_seen = false;
        old.close().await;
        Ok(())
    }

    /// Sends what is buffered, then ends the stream towards the peer. Waits for neither longer than a few seconds.
    pub async fn close(&mut self) {
        if !self.torn {
            let _ = tokio::time::timeout(transport::CLOSE_TIMEOUT, self.flush()).await;
        }
        self.transport.close().await;
    }
}
