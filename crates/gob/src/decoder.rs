//! The receiving end of a stream.

use crate::cursor::Cursor;
use crate::error::Error;
use crate::frame::{Frame, frame};
use crate::limits::Limits;
use crate::plan::Plans;
use crate::reader::Reader;
use crate::types::{Types, WireId};
use crate::value::Gob;

/// Decodes the values of one stream from whatever bytes have arrived (gob.md §3).
///
/// ```
/// # use gob::{Decoder, Encoder, Limits, Progress};
/// let mut stream = Vec::new();
/// Encoder::new().encode(&String::from("abc"), &mut stream);
/// let mut decoder = Decoder::new(Limits::default());
/// let Ok(Progress::NeedMore { at_least }) = decoder.decode::<String>(&stream[..3]) else { panic!() };
/// assert_eq!(at_least, stream.len());
/// let Ok(Progress::Value { value, consumed }) = decoder.decode::<String>(&stream) else { panic!() };
/// assert_eq!((value.as_str(), consumed), ("abc", stream.len()));
/// ```
pub struct Decoder {
    limits: Limits,
    types: Types,
    plans: Plans,
    /// Bytes of definition messages at the start of the input that are done with, though not given back yet.
    defined: usize,
    /// Where the next message starts that is known to be needed and was not all there.
    wanted: usize,
    consumed_by_failure: usize,
}

/// How far a call of [`Decoder::decode`] got.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress<T> {
    /// A value.
    Value {
        /// The value.
        value: T,
        /// Bytes of the input it took, with the definitions before it. What follows is the next value, or whatever
        /// else the peer has sent.
        consumed: usize,
    },
    /// The value is not all there.
    NeedMore {
        /// The length, in bytes, that the same input must reach before another call makes sense. The peer says so:
        /// do not reserve memory by it.
        at_least: usize,
    },
}

impl Decoder {
    /// A decoder for a new stream.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            types: Types::default(),
            plans: Plans::default(),
            defined: 0,
            wanted: 0,
            consumed_by_failure: 0,
        }
    }

    /// Decodes the next value. `input` starts at a message boundary: behind what earlier calls said was consumed.
    /// After [`Progress::NeedMore`] call again with the same bytes and more of them; nothing is lost in between.
    ///
    /// # Errors
    /// The bytes are no gob, the value does not fit `T` by Go's rules (gob.md §4), or a limit is exceeded.
    pub fn decode<T: Gob>(&mut self, input: &[u8]) -> Result<Progress<T>, Error> {
        self.value(input, |reader, id| {
            let plan = reader.compile(id, T::plan)?;
            if !T::IS_STRUCT {
                reader.singleton()?;
            }
            T::decode(reader, plan)
        })
    }

    /// Passes over the next value, whatever its type, as [`Decoder::decode`] would.
    ///
    /// # Errors
    /// The bytes are no gob, or a limit is exceeded.
    pub fn skip_value(&mut self, input: &[u8]) -> Result<Progress<()>, Error> {
        self.value(input, |reader, id| reader.skip_top(id))
    }

    /// After an error: how many bytes of that call's input belong to messages read in whole by then, the failing
    /// one included. A stream that shares its connection with other things goes on there, as Go's does. A message
    /// that was too long is not included: there is no going on behind [`Error::TooLarge`].
    pub fn consumed_by_failure(&self) -> usize {
        self.consumed_by_failure
    }

    fn value<T>(
        &mut self,
        input: &[u8],
        decode: impl FnOnce(&mut Reader<'_>, WireId) -> Result<T, Error>,
    ) -> Result<Progress<T>, Error> {
        let result = self.attempt(input, decode);
        match result {
            Ok(Progress::NeedMore { .. }) => {}
            _ => (self.defined, self.wanted) = (0, 0),
        }
        result
    }

    fn attempt<T>(
        &mut self,
        input: &[u8],
        decode: impl FnOnce(&mut Reader<'_>, WireId) -> Result<T, Error>,
    ) -> Result<Progress<T>, Error> {
        self.consumed_by_failure = self.defined;
        // Saves doing the value's first messages again only to find that the next one still is not there.
        if self.wanted > self.defined {
            // Should that message be none, those before it were read in whole.
            self.consumed_by_failure = self.wanted;
            if let Frame::Short { at_least } = frame(input, self.wanted, &self.limits)? {
                return Ok(Progress::NeedMore { at_least });
            }
            self.consumed_by_failure = self.defined;
        }
        let (cursor, id) = match self.leading_definitions(input)? {
            Leading::Value(cursor, id) => (cursor, id),
            Leading::Short { at_least } => return Ok(Progress::NeedMore { at_least }),
        };
        let known_types = self.types.len();
        let mut reader = Reader {
            input,
            cursor,
            types: &mut self.types,
            plans: &mut self.plans,
            limits: &self.limits,
            budget: self.limits.max_value_bytes,
            depth: 0,
            continuations: 0,
            short: None,
        };
        let result = decode(&mut reader, id).and_then(|value| {
            if reader.cursor.remaining() == 0 {
                Ok(value)
            } else {
                Err(Error::ExtraData)
            }
        });
        let (end, short) = (reader.cursor.data.len(), reader.short);
        match (result, short) {
            (Ok(value), _) => Ok(Progress::Value { value, consumed: end }),
            (Err(_), Some((start, at_least))) => {
                // The definitions inside the value will come again with it.
                if self.types.undo_to(known_types) {
                    self.plans.clear();
                }
                self.wanted = start;
                Ok(Progress::NeedMore { at_least })
            }
            (Err(error), None) => {
                // Plans may be half made, and may know types that are undone.
                self.types.undo_to(known_types);
                self.plans.clear();
                self.consumed_by_failure = end;
                Err(error)
            }
        }
    }

    /// Takes in the definition messages before a value, for good.
    fn leading_definitions<'a>(&mut self, input: &'a [u8]) -> Result<Leading<'a>, Error> {
        loop {
            let (body, end) = match frame(input, self.defined, &self.limits)? {
                Frame::Whole { body, end } => (body, end),
                Frame::Short { at_least } => return Ok(Leading::Short { at_least }),
            };
            self.consumed_by_failure = end;
            let mut cursor = Cursor {
                data: &input[..end],
                pos: body,
            };
            let id = cursor.int()?;
            if id >= 0 {
                return Ok(Leading::Value(cursor, WireId(i32::try_from(id).unwrap_or(0))));
            }
            self.types.define(id.wrapping_neg(), &mut cursor, &self.limits)?;
            if cursor.remaining() > 0 {
                return Err(Error::ExtraData);
            }
            self.defined = end;
        }
    }
}

/// What follows the definitions at the start of the input.
enum Leading<'a> {
    /// A value of this type, behind its type id.
    Value(Cursor<'a>, WireId),
    /// Not all of a message.
    Short { at_least: usize },
}
