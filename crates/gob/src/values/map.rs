//! Maps.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use crate::describe::Describer;
use crate::error::Error;
use crate::plan::{Plan, Planner};
use crate::reader::Reader;
use crate::types::WireId;
use crate::value::Gob;
use crate::writer::Writer;

/// `Vec<(K, V)>` seen as a map, for newtypes that keep their entries in a list of their own order: `#[gob(map)]`
/// uses it. Keys are neither sorted nor checked for being unique.
pub trait Pairs: Sized + 'static {
    /// See [`Gob::describe`].
    fn describe(describer: &mut Describer<'_>) -> WireId;
    /// See [`Gob::plan`].
    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error>;
    /// See [`Gob::encode`].
    fn encode(&self, writer: &mut Writer<'_>);
    /// See [`Gob::decode`].
    fn decode(reader: &mut Reader<'_>, plan: Plan) -> Result<Self, Error>;
}

impl<K: Gob, V: Gob> Pairs for Vec<(K, V)> {
    fn describe(describer: &mut Describer<'_>) -> WireId {
        describer.map::<Self>(K::describe, V::describe)
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.map::<Self>(wire, K::plan, V::plan)
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        encode_pairs(self.len(), self.iter().map(|(key, value)| (key, value)), writer);
    }

    fn decode(reader: &mut Reader<'_>, plan: Plan) -> Result<Self, Error> {
        let mut pairs = Self::new();
        decode_pairs(
            reader,
            plan,
            size_of::<(K, V)>(),
            &mut pairs,
            Self::reserve_exact,
            |pairs, key, value| {
                pairs.push((key, value));
            },
        )?;
        Ok(pairs)
    }
}

/// A map; a field is left out when it is empty. `Option<HashMap<..>>` tells nil from empty.
impl<K: Gob + Eq + Hash, V: Gob, S: BuildHasher + Default + 'static> Gob for HashMap<K, V, S> {
    fn describe(describer: &mut Describer<'_>) -> WireId {
        describer.map::<Self>(K::describe, V::describe)
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.map::<Self>(wire, K::plan, V::plan)
    }

    fn absent() -> Result<Self, Error> {
        Ok(Self::default())
    }

    fn is_omitted(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        encode_pairs(self.len(), self.iter(), writer);
    }

    fn decode(reader: &mut Reader<'_>, plan: Plan) -> Result<Self, Error> {
        // Tables are at most 7/8 full and have a byte of their own for each place.
        let size = size_of::<(K, V)>() * 8 / 7 + 2;
        let mut map = Self::default();
        decode_pairs(reader, plan, size, &mut map, Self::reserve, |map, key, value| {
            map.insert(key, value);
        })?;
        Ok(map)
    }
}

/// A map; a field is left out when it is empty. `Option<BTreeMap<..>>` tells nil from empty.
impl<K: Gob + Ord, V: Gob> Gob for BTreeMap<K, V> {
    fn describe(describer: &mut Describer<'_>) -> WireId {
        describer.map::<Self>(K::describe, V::describe)
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.map::<Self>(wire, K::plan, V::plan)
    }

    fn absent() -> Result<Self, Error> {
        Ok(Self::new())
    }

    fn is_omitted(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        encode_pairs(self.len(), self.iter(), writer);
    }

    fn decode(reader: &mut Reader<'_>, plan: Plan) -> Result<Self, Error> {
        // Nodes may be half empty.
        let size = size_of::<(K, V)>() * 2;
        let mut map = Self::new();
        decode_pairs(
            reader,
            plan,
            size,
            &mut map,
            |_, _| {},
            |map, key, value| {
                map.insert(key, value);
            },
        )?;
        Ok(map)
    }
}

fn encode_pairs<'p, K: Gob, V: Gob>(
    len: usize,
    pairs: impl Iterator<Item = (&'p K, &'p V)>,
    writer: &mut Writer<'_>,
) {
    writer.uint(len as u64);
    for (key, value) in pairs {
        key.encode(writer);
        value.encode(writer);
    }
}

/// Reads all pairs into `map`. `size` is what one takes there, in bytes.
fn decode_pairs<M, K: Gob, V: Gob>(
    reader: &mut Reader<'_>,
    plan: Plan,
    size: usize,
    map: &mut M,
    reserve: impl FnOnce(&mut M, usize),
    mut insert: impl FnMut(&mut M, K, V),
) -> Result<(), Error> {
    reader.enter()?;
    let count = reader.uint()?;
    let (key_plan, value_plan) = reader.map_plans(plan);
    let room = reader.room_for(count, size)?;
    reserve(map, room);
    for done in 0..count {
        if done >= room as u64 {
            reader.charge(size)?;
        }
        let key = K::decode(reader, key_plan)?;
        let value = V::decode(reader, value_plan)?;
        insert(map, key, value);
    }
    reader.leave();
    Ok(())
}
