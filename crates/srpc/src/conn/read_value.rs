//! Receiving values, in either coding.

use bytes::Buf;

use super::timing::Patience;
use super::{ConnError, READ_BUFFER_BYTES, ReadHalf};
use crate::coder::{Coder, Message};
use crate::json::{Scan, Scanner};

/// What is reserved ahead for a large value at a time, whatever its sender announces.
const RESERVE_MAX_BYTES: usize = 16 * READ_BUFFER_BYTES;

impl ReadHalf {
    /// Reads the next value of the peer's stream. Whatever follows it on the wire stays unread.
    ///
    /// Waits as long as it takes for the first byte, so a subscription may be quiet. May be dropped and called again.
    ///
    /// # Errors
    /// [`ConnError::Closed`] if the peer ended the stream before the value.
    pub async fn read_value<T: Message>(&mut self) -> Result<T, ConnError> {
        self.read_value_patiently(Patience::Endless).await
    }

    /// As [`ReadHalf::read_value`], for a value that the peer has no reason to delay.
    pub async fn read_prompt_value<T: Message>(&mut self) -> Result<T, ConnError> {
        self.read_value_patiently(Patience::Stall).await
    }

    /// The next value if all of it has arrived already. Never waits: a sender looks here for answers between its own messages.
    pub fn try_read_value<T: Message>(&mut self) -> Result<Option<T>, ConnError> {
        loop {
            match self.decode_received()? {
                Decoded::Value(value) => return Ok(Some(value)),
                Decoded::NeedMore { .. } if self.fill_now()? => {}
                Decoded::NeedMore { .. } => return Ok(None),
            }
        }
    }

    async fn read_value_patiently<T: Message>(&mut self, first: Patience) -> Result<T, ConnError> {
        loop {
            let (at_least, mut started) = match self.decode_received()? {
                Decoded::Value(value) => return Ok(value),
                Decoded::NeedMore { at_least, started } => (at_least, started),
            };
            while self.received.len() < at_least {
                self.received
                    .reserve((at_least - self.received.len()).min(RESERVE_MAX_BYTES));
                let patience = if started { Patience::Stall } else { first };
                if self.fill(patience).await? == 0 {
                    return Err(if started {
                        ConnError::Truncated
                    } else {
                        ConnError::Closed
                    });
                }
                started = true;
            }
        }
    }

    /// Decodes from what has been received.
    fn decode_received<T: Message>(&mut self) -> Result<Decoded<T>, ConnError> {
        self.skip_line_end();
        match self.coder {
            Coder::Gob => self.decode_gob(),
            Coder::Json => self.decode_json(),
        }
    }

    fn decode_gob<T: Message>(&mut self) -> Result<Decoded<T>, ConnError> {
        match self.decoder.decode::<T>(&self.received) {
            Ok(gob::Progress::Value { value, consumed }) => {
                self.received.advance(consumed);
                Ok(Decoded::Value(value))
            }
            Ok(gob::Progress::NeedMore { at_least }) => Ok(Decoded::NeedMore {
                at_least,
                started: !self.received.is_empty(),
            }),
            Err(error) => {
                let consumed = self.decoder.consumed_by_failure().min(self.received.len());
                self.received.advance(consumed);
                Err(error.into())
            }
        }
    }

    fn decode_json<T: Message>(&mut self) -> Result<Decoded<T>, ConnError> {
        let limit = self.limits.max_message_bytes;
        match self.scanner.scan(&self.received) {
            Scan::End(end) if end <= limit => {
                let result = serde_json::from_slice(&self.received[..end]);
                self.received.advance(end);
                self.scanner = Scanner::default();
                self.skip_line_end = true;
                result.map(Decoded::Value).map_err(ConnError::Json)
            }
            Scan::More if self.received.len() <= limit => Ok(Decoded::NeedMore {
                at_least: self.received.len() + 1,
                started: self.scanner.has_started(),
            }),
            Scan::End(_) | Scan::More => Err(ConnError::MessageTooLarge { limit }),
            Scan::NoValue(first) => {
                // Nobody knows where the next call starts; Go's decoder has read ahead at this point and drops it all, too.
                self.received.clear();
                self.scanner = Scanner::default();
                Err(ConnError::NoJson(first))
            }
        }
    }
}

enum Decoded<T> {
    Value(T),
    NeedMore {
        /// Bytes the read buffer must hold before another try makes sense.
        at_least: usize,
        /// Part of the value is there.
        started: bool,
    },
}
