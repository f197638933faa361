//! Passing over values that nobody here wants, by their wire types alone.

use std::sync::Arc;

use crate::error::Error;
use crate::reader::Reader;
use crate::types::{Shape, WireId};

impl Reader<'_> {
    /// Skips a value that stands for itself: at the top, or inside an interface.
    pub(crate) fn skip_top(&mut self, id: WireId) -> Result<(), Error> {
        let is_struct = self
            .types
            .get(id)
            .is_some_and(|d| matches!(d.shape, Shape::Struct { .. }));
        if !is_struct {
            self.singleton()?;
        }
        self.skip(id)
    }

    /// Skips a value of this type. Takes no memory; every element costs a byte of input.
    pub(crate) fn skip(&mut self, id: WireId) -> Result<(), Error> {
        match id {
            WireId::BOOL | WireId::INT | WireId::UINT | WireId::FLOAT => self.cursor.uint().map(drop),
            WireId::BYTES | WireId::STRING => self.cursor.bytes().map(drop),
            WireId::COMPLEX => {
                self.cursor.uint()?;
                self.cursor.uint().map(drop)
            }
            WireId::INTERFACE => self.skip_interface(),
            _ => self.skip_defined(id),
        }
    }

    fn skip_defined(&mut self, id: WireId) -> Result<(), Error> {
        // Shared, since an interface inside may add to the types.
        let definition = Arc::clone(self.types.get(id).ok_or(Error::UnknownType { id })?);
        self.enter()?;
        match &definition.shape {
            Shape::Array { elem, len } => {
                let count = self.cursor.uint()?;
                if count != *len {
                    return Err(Error::ArrayLength {
                        got: count,
                        want: *len,
                    });
                }
                self.skip_elements(count, *elem)?;
            }
            Shape::Slice { elem } => {
                let count = self.cursor.uint()?;
                self.skip_elements(count, *elem)?;
            }
            Shape::Map { key, elem } => {
                let count = self.cursor.uint()?;
                for _ in 0..count {
                    self.skip(*key)?;
                    self.skip(*elem)?;
                }
            }
            Shape::Struct { fields } => self.skip_fields(fields)?,
            Shape::GobEncoder | Shape::Marshaler => drop(self.cursor.bytes()?),
        }
        self.leave();
        Ok(())
    }

    fn skip_elements(&mut self, count: u64, elem: WireId) -> Result<(), Error> {
        if matches!(elem, WireId::BOOL | WireId::INT | WireId::UINT | WireId::FLOAT) {
            return self.cursor.skip_uints(count);
        }
        for _ in 0..count {
            self.skip(elem)?;
        }
        Ok(())
    }

    fn skip_fields(&mut self, fields: &[(bstr::BString, WireId)]) -> Result<(), Error> {
        let mut rest = fields;
        loop {
            let delta = self.cursor.uint()?;
            let Some(before) = delta.checked_sub(1) else {
                return Ok(());
            };
            let index = usize::try_from(before).map_err(|_| Error::FieldNumber)?;
            let (_, id) = rest.get(index).ok_or(Error::FieldNumber)?;
            self.skip(*id)?;
            rest = &rest[index + 1..];
        }
    }
}
