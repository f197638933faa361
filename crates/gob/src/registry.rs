//! The types one encoder has numbered, and which of them it has sent.

use std::any::TypeId;
use std::collections::HashMap;

use crate::definition;
use crate::number::patch_length;
use crate::types::{Definition, Shape, WireId};

/// Numbers and definitions of local types. Ids are given as Go gives them, so that streams of simple types are the
/// same to the byte: a struct before its parts, anything else after them unless it contains itself.
#[derive(Default)]
pub(crate) struct Registry {
    /// `None` while a type is being described and has no number yet.
    ids: HashMap<TypeId, Option<WireId>>,
    /// By id, from the first definable one.
    definitions: Vec<Option<Definition>>,
    sent: Vec<bool>,
    unsent: usize,
    /// Type ids of the implementers, in the order of the variants.
    interfaces: HashMap<TypeId, Vec<WireId>>,
}

/// Where a type stands in the registry.
pub(crate) enum Known {
    /// Numbered already.
    Id(WireId),
    /// New; the caller is to describe it and then call [`Registry::define`].
    New,
}

impl Registry {
    /// Looks a composite type up, or starts describing it. A type met again while it is being described gets its
    /// number there and then.
    pub(crate) fn enter(&mut self, key: TypeId) -> Known {
        match self.ids.get(&key) {
            Some(&Some(id)) => Known::Id(id),
            Some(None) => Known::Id(self.number(key)),
            None => {
                self.ids.insert(key, None);
                Known::New
            }
        }
    }

    /// The number of a type that was entered.
    pub(crate) fn number(&mut self, key: TypeId) -> WireId {
        if let Some(&Some(id)) = self.ids.get(&key) {
            return id;
        }
        let id = WireId(WireId::FIRST_DEFINED + self.definitions.len() as i32);
        self.definitions.push(None);
        self.sent.push(false);
        self.ids.insert(key, Some(id));
        id
    }

    pub(crate) fn define(&mut self, id: WireId, definition: Definition) {
        if let Some(index) = index(id) {
            self.definitions[index] = Some(definition);
            self.unsent += 1;
        }
    }

    /// Starts describing an interface's implementers; false if that was done or is under way.
    pub(crate) fn enter_interface(&mut self, key: TypeId) -> bool {
        if self.interfaces.contains_key(&key) {
            return false;
        }
        self.interfaces.insert(key, Vec::new());
        true
    }

    pub(crate) fn define_interface(&mut self, key: TypeId, implementers: Vec<WireId>) {
        self.interfaces.insert(key, implementers);
    }

    pub(crate) fn implementers(&self, key: TypeId) -> &[WireId] {
        self.interfaces.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Appends the definitions not sent yet: those under `root` as Go orders them, outer before inner, then the
    /// rest, which are implementers of interfaces. Sending these ahead of the value means that no value is ever
    /// split (gob.md §5.2).
    pub(crate) fn send_unsent(&mut self, root: WireId, out: &mut Vec<u8>) {
        if self.unsent == 0 {
            return;
        }
        self.send_under(root, out);
        for index in 0..self.definitions.len() {
            if !self.sent[index] {
                self.send_under(WireId(WireId::FIRST_DEFINED + index as i32), out);
            }
        }
    }

    fn send_under(&mut self, root: WireId, out: &mut Vec<u8>) {
        let mut pending = vec![root];
        while let Some(id) = pending.pop() {
            let Some(index) = index(id) else { continue };
            let Some(definition) = &self.definitions[index] else {
                continue;
            };
            if std::mem::replace(&mut self.sent[index], true) {
                continue;
            }
            self.unsent -= 1;
            let start = out.len();
            out.push(0);
            definition::write(out, id, definition);
            patch_length(out, start, 1);
            // A stack: the last one pushed goes first.
            match &definition.shape {
                Shape::Struct { fields } => pending.extend(fields.iter().rev().map(|&(_, id)| id)),
                Shape::Array { elem, .. } | Shape::Slice { elem } => pending.push(*elem),
                Shape::Map { key, elem } => pending.extend([*elem, *key]),
                Shape::GobEncoder | Shape::Marshaler => {}
            }
        }
    }
}

/// `None` for predefined types.
fn index(id: WireId) -> Option<usize> {
    usize::try_from(id.0 - WireId::FIRST_DEFINED).ok()
}
