//! The sending end of a stream.

use std::any::TypeId;

use crate::describe::Describer;
use crate::number::{patch_length, put_int, put_uint};
use crate::registry::Registry;
use crate::types::WireId;
use crate::value::Gob;
use crate::writer::Writer;

/// Encodes the values of one stream, sending each type's definition before it is first needed (gob.md §3).
#[derive(Default)]
pub struct Encoder {
    registry: Registry,
    /// The type encoded last, and its id.
    last: Option<(TypeId, WireId)>,
    /// Bytes that the last message's length took: the guess for the next one.
    length_width: usize,
}

impl Encoder {
    /// An encoder for a new stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the definitions of all types that `value` can contain and that were not sent on this stream,
    /// implementers of its interfaces included, and then the value in one message: a value is never split (gob.md
    /// §5.2).
    pub fn encode<T: Gob>(&mut self, value: &T, out: &mut Vec<u8>) {
        let id = self.type_id::<T>(out);
        let start = out.len();
        let reserved = self.length_width.max(1);
        out.resize(start + reserved, 0);
        put_int(out, i64::from(id.0));
        if !T::IS_STRUCT {
            put_uint(out, 0);
        }
        value.encode(&mut Writer::new(out, &self.registry));
        self.length_width = patch_length(out, start, reserved);
    }

    fn type_id<T: Gob>(&mut self, out: &mut Vec<u8>) -> WireId {
        if let Some((known, id)) = self.last
            && known == TypeId::of::<T>()
        {
            return id;
        }
        let id = T::describe(&mut Describer::new(&mut self.registry));
        self.registry.send_unsent(id, out);
        self.last = Some((TypeId::of::<T>(), id));
        id
    }
}
