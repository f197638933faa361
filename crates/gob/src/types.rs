//! The types a peer has defined.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bstr::BString;

use crate::cursor::Cursor;
use crate::definition;
use crate::error::Error;
use crate::limits::{Limits, MAX_TYPE_TABLE_BYTES};

/// Bytes of a name that is the peer's choice shown in an error.
const MAX_SHOWN_BYTES: usize = 80;

/// A type's number on a stream (gob.md §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WireId(pub i32);

impl WireId {
    /// Boolean.
    pub const BOOL: Self = Self(1);
    /// Signed integer of any width.
    pub const INT: Self = Self(2);
    /// Unsigned integer of any width.
    pub const UINT: Self = Self(3);
    /// Floating-point number of either width.
    pub const FLOAT: Self = Self(4);
    /// `[]byte`.
    pub const BYTES: Self = Self(5);
    /// String of arbitrary bytes.
    pub const STRING: Self = Self(6);
    /// Complex number of either width.
    pub const COMPLEX: Self = Self(7);
    /// Any interface.
    pub const INTERFACE: Self = Self(8);
    /// The last of the ids that have a meaning without being defined, those of definitions themselves included.
    pub(crate) const LAST_PREDEFINED: i32 = 23;
    /// The first id that a sender may define.
    pub(crate) const FIRST_DEFINED: i32 = 64;
}

/// A type definition as received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    /// Empty for most types without a name of their own.
    pub(crate) name: BString,
    pub(crate) shape: Shape,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Array {
        elem: WireId,
        len: u64,
    },
    Slice {
        elem: WireId,
    },
    Struct {
        fields: Vec<(BString, WireId)>,
    },
    Map {
        key: WireId,
        elem: WireId,
    },
    /// A type with an encoder of its own: a byte string.
    GobEncoder,
    /// Likewise, from a binary or text marshaller, which no local type can take.
    Marshaler,
}

/// All definitions of one stream, and how to undo the latest.
#[derive(Default)]
pub(crate) struct Types {
    by_id: HashMap<WireId, Arc<Definition>>,
    order: Vec<WireId>,
    bytes: usize,
}

impl Types {
    pub(crate) fn get(&self, id: WireId) -> Option<&Arc<Definition>> {
        self.by_id.get(&id)
    }

    /// Reads the definition of `id` that follows its negated id.
    pub(crate) fn define(&mut self, id: i64, cursor: &mut Cursor<'_>, limits: &Limits) -> Result<(), Error> {
        let id = WireId(i32::try_from(id).map_err(|_| Error::BadDefinition("type id out of range"))?);
        if id.0 < WireId::FIRST_DEFINED {
            return Err(Error::DuplicateType { id });
        }
        if self.order.len() >= limits.max_types {
            return Err(Error::TooLarge {
                what: "number of type definitions",
                limit: limits.max_types,
            });
        }
        let Entry::Vacant(entry) = self.by_id.entry(id) else {
            return Err(Error::DuplicateType { id });
        };
        let definition = definition::read(cursor)?;
        self.bytes += definition.size();
        if self.bytes > MAX_TYPE_TABLE_BYTES {
            return Err(Error::TooLarge {
                what: "type definitions in bytes",
                limit: MAX_TYPE_TABLE_BYTES,
            });
        }
        entry.insert(Arc::new(definition));
        self.order.push(id);
        Ok(())
    }

    /// How many definitions there are, for [`Types::undo_to`].
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Forgets all definitions after the first `len`. Says whether there were any.
    pub(crate) fn undo_to(&mut self, len: usize) -> bool {
        let undone = self.order.len() > len;
        for id in self.order.drain(len..) {
            if let Some(definition) = self.by_id.remove(&id) {
                self.bytes -= definition.size();
            }
        }
        undone
    }

    /// A name for messages to people.
    pub(crate) fn name(&self, id: WireId) -> String {
        let basic = match id {
            WireId::BOOL => "bool",
            WireId::INT => "int",
            WireId::UINT => "uint",
            WireId::FLOAT => "float",
            WireId::BYTES => "bytes",
            WireId::STRING => "string",
            WireId::COMPLEX => "complex",
            WireId::INTERFACE => "interface",
            _ => {
                let Some(definition) = self.get(id) else {
                    return "unknown type".to_owned();
                };
                if !definition.name.is_empty() {
                    return shown(&definition.name);
                }
                definition.shape.kind()
            }
        };
        basic.to_owned()
    }
}

/// A peer's name as it may stand in an error: short, on one line.
pub(crate) fn shown(name: &[u8]) -> String {
    let most = name.len().min(MAX_SHOWN_BYTES);
    name[..most].escape_ascii().to_string()
}

impl Definition {
    fn size(&self) -> usize {
        let fields = match &self.shape {
            Shape::Struct { fields } => fields.iter().map(|(name, _)| 64 + name.len()).sum(),
            _ => 0,
        };
        size_of::<Self>() + 64 + self.name.len() + fields
    }
}

impl Shape {
    fn kind(&self) -> &'static str {
        match self {
            Self::Array { .. } => "array",
            Self::Slice { .. } => "slice",
            Self::Struct { .. } => "struct",
            Self::Map { .. } => "map",
            Self::GobEncoder => "GobEncoder",
            Self::Marshaler => "marshaler",
        }
    }
}
