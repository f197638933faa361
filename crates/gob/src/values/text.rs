//! Strings. Go's are arbitrary bytes (gob.md §2).

use bstr::BString;

use crate::describe::Describer;
use crate::error::Error;
use crate::plan::{Plan, Planner};
use crate::reader::Reader;
use crate::types::WireId;
use crate::value::Gob;
use crate::writer::Writer;

/// Text; bytes that are not UTF-8 are kept as [`text`](crate::text) tells.
impl Gob for String {
    fn describe(_: &mut Describer<'_>) -> WireId {
        WireId::STRING
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.leaf("string", WireId::STRING, wire)
    }

    fn absent() -> Result<Self, Error> {
        Ok(Self::new())
    }

    fn is_omitted(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.bytes(&crate::text::to_bytes(self));
    }

    fn decode(reader: &mut Reader<'_>, _: Plan) -> Result<Self, Error> {
        let bytes = reader.bytes()?;
        reader.charge(bytes.len())?;
        let text = crate::text::from_bytes(bytes);
        reader.charge(text.len().saturating_sub(bytes.len()))?;
        Ok(text.into_owned())
    }
}

/// A string of whatever bytes: file names, link targets.
impl Gob for BString {
    fn describe(_: &mut Describer<'_>) -> WireId {
        WireId::STRING
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.leaf("string", WireId::STRING, wire)
    }

    fn absent() -> Result<Self, Error> {
        Ok(Self::default())
    }

    fn is_omitted(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.bytes(self);
    }

    fn decode(reader: &mut Reader<'_>, _: Plan) -> Result<Self, Error> {
        let bytes = reader.bytes()?;
        reader.charge(bytes.len())?;
        Ok(bytes.into())
    }
}
