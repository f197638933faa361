//! Slices and arrays.

use crate::describe::Describer;
use crate::error::Error;
use crate::plan::{Plan, Planner};
use crate::reader::Reader;
use crate::types::WireId;
use crate::value::Gob;
use crate::writer::Writer;

/// A slice; `Vec<u8>` is `[]byte`. A field is left out when it is empty.
impl<T: Gob> Gob for Vec<T> {
    fn describe(describer: &mut Describer<'_>) -> WireId {
        T::describe_slice(describer)
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        T::plan_slice(planner, wire)
    }

    fn absent() -> Result<Self, Error> {
        Ok(Self::new())
    }

    fn is_omitted(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        T::encode_slice(self, writer);
    }

    fn decode(reader: &mut Reader<'_>, plan: Plan) -> Result<Self, Error> {
        T::decode_slice(reader, plan)
    }
}

/// An array. `[u8; N]` is an array of numbers, not `[]byte`. Never left out.
impl<T: Gob, const N: usize> Gob for [T; N] {
    fn describe(describer: &mut Describer<'_>) -> WireId {
        describer.array::<Self>(N, T::describe)
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.array::<Self>(wire, N, T::plan)
    }

    fn absent() -> Result<Self, Error> {
        T::absent_array()
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        T::encode_array(self, writer);
    }

    fn decode(reader: &mut Reader<'_>, plan: Plan) -> Result<Self, Error> {
        T::decode_array(reader, plan)
    }
}

/// `count` elements of a slice or an array.
pub(crate) fn decode_elements<T: Gob>(
    reader: &mut Reader<'_>,
    plan: Plan,
    count: u64,
) -> Result<Vec<T>, Error> {
    reader.enter()?;
    let elem = reader.elem_plan(plan);
    let room = reader.room_for(count, size_of::<T>())?;
    let mut values = Vec::with_capacity(room);
    for _ in 0..count {
        if values.len() >= room {
            reader.charge(size_of::<T>())?;
        }
        values.push(T::decode(reader, elem)?);
    }
    reader.leave();
    Ok(values)
}
