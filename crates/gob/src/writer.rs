//! What a type's encoder writes to.

use std::any::TypeId;

use crate::number::{patch_length, put_bytes, put_int, put_uint};
use crate::registry::Registry;
use crate::types::WireId;
use crate::value::Gob;

/// The end of a value being written.
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    registry: &'a Registry,
    /// The interface written last and its implementers: saves looking them up for each of thousands of values.
    interface: Option<(TypeId, &'a [WireId])>,
    /// Bytes that the last interface value's length took: the guess for the next one.
    length_width: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, registry: &'a Registry) -> Self {
        Self {
            out,
            registry,
            interface: None,
            length_width: 1,
        }
    }

    /// An unsigned integer.
    #[inline]
    pub fn uint(&mut self, value: u64) {
        put_uint(self.out, value);
    }

    /// A signed integer.
    #[inline]
    pub fn int(&mut self, value: i64) {
        put_int(self.out, value);
    }

    /// A length and that many bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        put_bytes(self.out, bytes);
    }

    /// Bytes as they are.
    #[inline]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Announces field number `index`, of fields numbered from 0. `next` is 0 at the struct's start and kept up to
    /// date here.
    #[inline]
    pub fn field(&mut self, next: &mut u64, index: u64) {
        put_uint(self.out, index + 1 - *next);
        *next = index + 1;
    }

    /// An interface value: `value` is the variant `index` of the interface `I`, registered as `name` (gob.md §5.1).
    pub fn interface<I: 'static, T: Gob>(&mut self, index: usize, name: &'static str, value: &T) {
        self.bytes(name.as_bytes());
        let implementers = self.implementers(TypeId::of::<I>());
        // An interface that was described has an id for each variant.
        let id = implementers.get(index).map_or(0, |id| id.0);
        self.int(i64::from(id));
        let start = self.out.len();
        let reserved = self.length_width;
        self.out.resize(start + reserved, 0);
        if !T::IS_STRUCT {
            self.uint(0);
        }
        value.encode(self);
        self.length_width = patch_length(self.out, start, reserved);
    }

    #[inline]
    fn implementers(&mut self, interface: TypeId) -> &'a [WireId] {
        if let Some((known, implementers)) = self.interface
            && known == interface
        {
            return implementers;
        }
        let implementers = self.registry.implementers(interface);
        self.interface = Some((interface, implementers));
        implementers
    }
}
