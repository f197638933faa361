//! Spans of time.

use crate::describe::Describer;
use crate::error::Error;
use crate::plan::{Plan, Planner};
use crate::reader::Reader;
use crate::types::WireId;
use crate::value::Gob;
use crate::writer::Writer;

/// A span of time in nanoseconds, which may be negative: Go's `time.Duration`. In JSON it is the bare number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(transparent)
)]
pub struct Duration(pub i64);

impl Duration {
    /// The same as the standard library's, which cannot be negative: `None` if this is.
    pub fn to_std(self) -> Option<std::time::Duration> {
        u64::try_from(self.0).ok().map(std::time::Duration::from_nanos)
    }
}

/// Spans of more than 292 years become the longest there is.
impl From<std::time::Duration> for Duration {
    fn from(span: std::time::Duration) -> Self {
        Self(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl Gob for Duration {
    fn describe(describer: &mut Describer<'_>) -> WireId {
        i64::describe(describer)
    }

    fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
        planner.leaf("time.Duration", WireId::INT, wire)
    }

    fn absent() -> Result<Self, Error> {
        Ok(Self(0))
    }

    fn is_omitted(&self) -> bool {
        self.0 == 0
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.int(self.0);
    }

    fn decode(reader: &mut Reader<'_>, _: Plan) -> Result<Self, Error> {
        reader.int().map(Self)
    }
}
