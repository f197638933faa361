//! Booleans, integers, floats. Widths are the receiver's affair: what does not fit is an error (gob.md §2).

use crate::describe::Describer;
use crate::error::Error;
use crate::plan::{Plan, Planner};
use crate::reader::Reader;
use crate::types::WireId;
use crate::value::Gob;
use crate::writer::Writer;

macro_rules! number {
    ($type:ty, $id:ident, $zero:expr, $encode:expr, $decode:expr) => {
        impl Gob for $type {
            fn describe(_: &mut Describer<'_>) -> WireId {
                WireId::$id
            }

            fn plan(planner: &mut Planner<'_>, wire: WireId) -> Result<Plan, Error> {
                planner.leaf(stringify!($type), WireId::$id, wire)
            }

            fn absent() -> Result<Self, Error> {
                Ok($zero)
            }

            #[inline]
            fn is_omitted(&self) -> bool {
                *self == $zero
            }

            #[inline]
            fn encode(&self, writer: &mut Writer<'_>) {
                $encode(*self, writer)
            }

            #[inline]
            fn decode(reader: &mut Reader<'_>, _: Plan) -> Result<Self, Error> {
                $decode(reader)
            }
        }
    };
}

macro_rules! signed {
    ($($type:ty)*) => {$(
        number!($type, INT, 0, |value, writer: &mut Writer<'_>| writer.int(value as i64), |reader: &mut Reader<'_>| {
            <$type>::try_from(reader.int()?).map_err(|_| Error::OutOfRange)
        });
    )*};
}

macro_rules! unsigned {
    ($($type:ty)*) => {$(
        number!($type, UINT, 0, |value, writer: &mut Writer<'_>| writer.uint(value as u64), |reader: &mut Reader<'_>| {
            <$type>::try_from(reader.uint()?).map_err(|_| Error::OutOfRange)
        });
    )*};
}

signed!(i8 i16 i32 i64 isize);
unsigned!(u16 u32 u64 usize);

number!(
    bool,
    BOOL,
    false,
    |value, writer: &mut Writer<'_>| writer.uint(u64::from(value)),
    |reader: &mut Reader<'_>| Ok(reader.uint()? != 0)
);

number!(f64, FLOAT, 0.0, put_float, take_float);

number!(
    f32,
    FLOAT,
    0.0,
    |value, writer: &mut Writer<'_>| put_float(f64::from(value), writer),
    |reader| {
        let wide = take_float(reader)?;
        let narrow = wide as f32;
        // Infinity itself is fine, overflowing to it is not.
        if narrow.is_infinite() && wide.is_finite() {
            Err(Error::OutOfRange)
        } else {
            Ok(narrow)
        }
    }
);

/// The bytes are reversed because the exponent, at the front, is what small whole numbers have.
fn put_float(value: f64, writer: &mut Writer<'_>) {
    writer.uint(value.to_bits().swap_bytes());
}

fn take_float(reader: &mut Reader<'_>) -> Result<f64, Error> {
    Ok(f64::from_bits(reader.uint()?.swap_bytes()))
}
