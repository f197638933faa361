//! Receiving lines and raw bytes.

use bytes::{Buf, BufMut};
use memchr::memchr;

use super::timing::Patience;
use super::{ConnError, READ_AHEAD_BYTES, ReadHalf};

/// The most that one [`ReadHalf::read_raw_into`] appends.
pub const RAW_READ_BYTES: usize = 1 << 20;

impl ReadHalf {
    /// Reads up to the next LF and returns what is before it. `None` at the end of the stream.
    ///
    /// Waits as long as it takes for the first byte. A line longer than `limit` bytes is [`ConnError::LineTooLong`]; its start
    /// stays unread. Bytes that are no UTF-8 become U+FFFD. May be dropped and called again.
    pub async fn read_line(&mut self, limit: usize) -> Result<Option<String>, ConnError> {
        let mut searched = 0;
        loop {
            self.skip_line_end();
            if let Some(at) = memchr(b'\n', &self.received[searched..]) {
                let length = searched + at;
                if length > limit {
                    return Err(ConnError::LineTooLong { limit });
                }
                let line = String::from_utf8_lossy(&self.received[..length]).into_owned();
                self.received.advance(length + 1);
                return Ok(Some(line));
            }
            searched = self.received.len();
            if searched > limit {
                return Err(ConnError::LineTooLong { limit });
            }
            let patience = if searched == 0 {
                Patience::Endless
            } else {
                Patience::Stall
            };
            if self.fill(patience).await? == 0 {
                return if searched == 0 {
                    Ok(None)
                } else {
                    Err(ConnError::Truncated)
                };
            }
        }
    }

    /// What has arrived and is not consumed yet; waits for at least one byte. Empty at the end of the stream.
    ///
    /// Raw data are processed in place with this and [`ReadHalf::consume`]. May be dropped and called again.
    pub async fn fill_buf(&mut self) -> Result<&[u8], ConnError> {
        self.settle_line_end().await?;
        if self.received.is_empty() {
            self.fill(Patience::Stall).await?;
        }
        Ok(&self.received)
    }

    /// Takes bytes off the front of what [`ReadHalf::fill_buf`] showed; more than that takes all.
    pub fn consume(&mut self, bytes: usize) {
        self.received.advance(bytes.min(self.received.len()));
    }

    /// Fills `target` with raw bytes. If dropped half-way, what was read is lost.
    pub async fn read_exact(&mut self, target: &mut [u8]) -> Result<(), ConnError> {
        if target.is_empty() {
            return Ok(());
        }
        self.settle_line_end().await?;
        let from_buffer = self.received.len().min(target.len());
        let (front, mut rest) = target.split_at_mut(from_buffer);
        self.received.copy_to_slice(front);
        while !rest.is_empty() {
            self.read_direct(&mut rest).await?;
        }
        Ok(())
    }

    /// Appends at least one and at most `max` raw bytes, and at most [`RAW_READ_BYTES`], to `target`; returns how many. 0 only
    /// if `max` is 0. The end of the stream is an error. Whatever has arrived is taken at once; large data go straight
    /// from the stream into `target`. May be dropped and called again.
    pub async fn read_raw_into(&mut self, target: &mut Vec<u8>, max: u64) -> Result<usize, ConnError> {
        let max = usize::try_from(max).unwrap_or(usize::MAX).min(RAW_READ_BYTES);
        if max == 0 {
            return Ok(0);
        }
        self.settle_line_end().await?;
        let from_buffer = self.received.len().min(max);
        if from_buffer > 0 {
            target.extend_from_slice(&self.received[..from_buffer]);
            self.received.advance(from_buffer);
            return Ok(from_buffer);
        }
        target.reserve(max);
        self.read_direct(&mut target.limit(max)).await
    }

    /// Resolves when the peer ends the stream or it fails. What the peer sends meanwhile is kept for the next reader, up to
    /// [`READ_AHEAD_BYTES`], which is an error of its own. May be dropped and called again.
    pub async fn closed(&mut self) -> ConnError {
        loop {
            if self.received.len() >= READ_AHEAD_BYTES {
                return ConnError::MessageTooLarge {
                    limit: READ_AHEAD_BYTES,
                };
            }
            match self.fill(Patience::Endless).await {
                Ok(0) => return ConnError::Closed,
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// The LF that ends an earlier JSON value must not end up in raw data: waits for it if it has not arrived.
    async fn settle_line_end(&mut self) -> Result<(), ConnError> {
        if self.skip_line_end && self.received.is_empty() {
            self.fill(Patience::Stall).await?;
        }
        self.skip_line_end();
        Ok(())
    }

    /// See the field of the same name.
    pub(super) fn skip_line_end(&mut self) {
        if self.skip_line_end
            && let Some(&first) = self.received.first()
        {
            self.skip_line_end = false;
            if first == b'\n' {
                self.received.advance(1);
            }
        }
    }
}
