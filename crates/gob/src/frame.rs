//! Where messages end (gob.md §3).

use crate::error::Error;
use crate::limits::Limits;

/// A message in the input.
pub(crate) enum Frame {
    /// All of it is there: `input[body..end]`.
    Whole { body: usize, end: usize },
    /// The input must reach this length before looking again makes sense.
    Short { at_least: usize },
}

/// Looks at the message that starts at `start`.
pub(crate) fn frame(input: &[u8], start: usize, limits: &Limits) -> Result<Frame, Error> {
    let Some(&first) = input.get(start) else {
        return Ok(Frame::Short {
            at_least: start.saturating_add(1),
        });
    };
    let (length, body) = if first < 0x80 {
        (u64::from(first), start + 1)
    } else {
        let width = usize::from(first.wrapping_neg());
        if width > 8 {
            return Err(Error::BadNumber);
        }
        let body = start + 1 + width;
        let Some(bytes) = input.get(start + 1..body) else {
            return Ok(Frame::Short { at_least: body });
        };
        (
            bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)),
            body,
        )
    };
    let limit = limits.max_message_bytes;
    if length > limit as u64 {
        return Err(Error::TooLarge {
            what: "message length in bytes",
            limit,
        });
    }
    let end = body.saturating_add(length as usize);
    if end > limits.max_value_bytes {
        return Err(Error::TooLarge {
            what: "encoded value in bytes",
            limit: limits.max_value_bytes,
        });
    }
    Ok(if end <= input.len() {
        Frame::Whole { body, end }
    } else {
        Frame::Short { at_least: end }
    })
}
