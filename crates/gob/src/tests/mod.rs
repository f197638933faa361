//! Tests of the whole.

mod derive;
mod examples;
mod hostile;
mod interfaces;
mod kinds;
mod limits;
mod omission;
mod rules;
mod split;

use crate::number::put_uint;
use crate::{Error, Gob, Limits, from_slice, to_vec};

/// Encodes as one type, decodes as another.
fn convert<A: Gob, B: Gob>(value: &A) -> Result<B, Error> {
    let bytes = to_vec(value);
    from_slice(&bytes, Limits::default()).map(|(value, consumed)| {
        assert_eq!(consumed, bytes.len());
        value
    })
}

fn decode<T: Gob>(bytes: &[u8]) -> Result<T, Error> {
    from_slice(bytes, Limits::default()).map(|(value, _)| value)
}

/// The parts, joined, as one message.
fn message(parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut message = Vec::new();
    put_uint(&mut message, body.len() as u64);
    message.extend(body);
    message
}
