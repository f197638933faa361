//! What a local type tells an encoder about itself.

use std::any::TypeId;

use crate::interface::Variant;
use crate::registry::{Known, Registry};
use crate::types::{Definition, Shape, WireId};

/// A field's name and its type's [`Gob::describe`](crate::Gob::describe).
pub type FieldType = (&'static str, fn(&mut Describer<'_>) -> WireId);

/// Takes descriptions of types and numbers them. `T` is the type being described, by which it is known from then on.
pub struct Describer<'a> {
    registry: &'a mut Registry,
    /// The name and identity that a named type gives to the unnamed one it is made of.
    alias: Option<(&'static str, TypeId)>,
}

impl<'a> Describer<'a> {
    pub(crate) fn new(registry: &'a mut Registry) -> Self {
        Self {
            registry,
            alias: None,
        }
    }

    /// A struct of these fields.
    pub fn structure<T: 'static>(&mut self, name: &'static str, fields: &[FieldType]) -> WireId {
        let (name, key) = self.alias.take().unwrap_or((name, TypeId::of::<T>()));
        if let Known::Id(id) = self.registry.enter(key) {
            return id;
        }
        let id = self.registry.number(key);
        let fields = fields
            .iter()
            .map(|(name, describe)| ((*name).into(), describe(self)))
            .collect();
        self.registry.define(
            id,
            Definition {
                name: name.into(),
                shape: Shape::Struct { fields },
            },
        );
        id
    }

    /// A slice.
    pub fn slice<T: 'static>(&mut self, elem: fn(&mut Describer<'_>) -> WireId) -> WireId {
        self.composite::<T>(|d| Shape::Slice { elem: elem(d) })
    }

    /// An array of `len` elements.
    pub fn array<T: 'static>(&mut self, len: usize, elem: fn(&mut Describer<'_>) -> WireId) -> WireId {
        self.composite::<T>(|d| Shape::Array {
            elem: elem(d),
            len: len as u64,
        })
    }

    /// A map.
    pub fn map<T: 'static>(
        &mut self,
        key: fn(&mut Describer<'_>) -> WireId,
        elem: fn(&mut Describer<'_>) -> WireId,
    ) -> WireId {
        self.composite::<T>(|d| {
            let key = key(d);
            Shape::Map { key, elem: elem(d) }
        })
    }

    /// A type with an encoding of its own (gob.md §6).
    pub fn gob_encoder<T: 'static>(&mut self, name: &'static str) -> WireId {
        let (name, key) = self.alias.take().unwrap_or((name, TypeId::of::<T>()));
        if let Known::Id(id) = self.registry.enter(key) {
            return id;
        }
        let id = self.registry.number(key);
        self.registry.define(
            id,
            Definition {
                name: name.into(),
                shape: Shape::GobEncoder,
            },
        );
        id
    }

    /// An interface with these implementers, whose types will be sent ahead of any value.
    pub fn interface<T: 'static>(&mut self, variants: &[Variant]) -> WireId {
        self.alias = None;
        let key = TypeId::of::<T>();
        if self.registry.enter_interface(key) {
            let implementers = variants.iter().map(|variant| (variant.describe)(self)).collect();
            self.registry.define_interface(key, implementers);
        }
        WireId::INTERFACE
    }

    /// Runs `describe` for an unnamed composite type, giving it `T`'s name and identity.
    pub fn named<T: 'static>(
        &mut self,
        name: &'static str,
        describe: fn(&mut Describer<'_>) -> WireId,
    ) -> WireId {
        self.alias = Some((name, TypeId::of::<T>()));
        let id = describe(self);
        self.alias = None;
        id
    }

    fn composite<T: 'static>(&mut self, shape: impl FnOnce(&mut Self) -> Shape) -> WireId {
        let (name, key) = self.alias.take().unwrap_or(("", TypeId::of::<T>()));
        if let Known::Id(id) = self.registry.enter(key) {
            return id;
        }
        let shape = shape(self);
        let id = self.registry.number(key);
        self.registry.define(
            id,
            Definition {
                name: name.into(),
                shape,
            },
        );
        id
    }
}
