//! Pointers: `Option` may be nil, `Box` and `Arc` only say where the value is.

use std::sync::Arc;

use crate::describe::Describer;
use crate::error::Error;
use crate::plan::{Plan, Planner};
use crate::reader::Reader;
use crate::types::WireId;
use crate::value::Gob;
use crate::writer::Writer;

/// A pointer. A field is left out when it is `None` and sent whenever it is `Some`, zero or not. (Go leaves out
/// pointers to zero numbers and empty strings and lists too.) In a list, where nothing can be left out, `None` is
/// sent as the zero value, or as nil if it is an interface.
impl<T: Gob> Gob for Option<T> {
    const IS_STRUCT: bool = T::IS_STRUCT;

    fn describe(describer: &mut Describer<'_>) -> WireId {
        T::describe(describer)
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        T::plan(planner, wire)
    }

    fn absent() -> Result<Self, Error> {
        Ok(None)
    }

    fn is_omitted(&self) -> bool {
        self.is_none()
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Some(value) => value.encode(writer),
            None => T::encode_none(writer),
        }
    }

    fn decode(reader: &mut Reader<'_>, plan: Plan) -> Result<Self, Error> {
        T::decode_option(reader, plan)
    }
}

macro_rules! owner {
    ($owner:ident) => {
        impl<T: Gob> Gob for $owner<T> {
            const IS_STRUCT: bool = T::IS_STRUCT;

            fn describe(describer: &mut Describer<'_>) -> WireId {
                T::describe(describer)
            }

            fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
                T::plan(planner, wire)
            }

            fn absent() -> Result<Self, Error> {
                T::absent().map($owner::new)
            }

            fn is_omitted(&self) -> bool {
                T::is_omitted(self)
            }

            fn encode(&self, writer: &mut Writer<'_>) {
                T::encode(self, writer);
            }

            fn decode(reader: &mut Reader<'_>, plan: Plan) -> Result<Self, Error> {
                reader.charge(size_of::<T>())?;
                T::decode(reader, plan).map($owner::new)
            }

            fn encode_none(writer: &mut Writer<'_>) {
                T::encode_none(writer);
            }

            fn decode_option(reader: &mut Reader<'_>, plan: Plan) -> Result<Option<Self>, Error> {
                reader.charge(size_of::<T>())?;
                Ok(T::decode_option(reader, plan)?.map($owner::new))
            }
        }
    };
}

owner!(Box);
owner!(Arc);
