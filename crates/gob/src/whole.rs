//! One value in one piece, for files.

use crate::decoder::{Decoder, Progress};
use crate::encoder::Encoder;
use crate::error::Error;
use crate::limits::Limits;
use crate::value::Gob;

/// A stream of this one value.
pub fn to_vec<T: Gob>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::new().encode(value, &mut out);
    out
}

/// The first value of a stream and how many bytes it takes.
///
/// # Errors
/// As [`Decoder::decode`]; [`Error::UnexpectedEnd`] if the value is not all there.
pub fn from_slice<T: Gob>(input: &[u8], limits: Limits) -> Result<(T, usize), Error> {
    match Decoder::new(limits).decode(input)? {
        Progress::Value { value, consumed } => Ok((value, consumed)),
        Progress::NeedMore { .. } => Err(Error::UnexpectedEnd),
    }
}
