//! Go's gob format, sans I/O.
//!
//! A gob stream describes its own types: before the first value of a type its definition is sent, and receivers
//! match structs by field name. [`Encoder`] appends definitions and values to a `Vec<u8>`; [`Decoder`] takes
//! whatever bytes have arrived and either yields a value and how many bytes it took, or says how many more it
//! needs. Types take part by `#[derive(Gob)]`.
//!
//! Promises: what Go's `encoding/gob` writes is read and the reverse, values that Go splits over several messages
//! included; raw bytes may follow a value on the wire, since `consumed` is exact; whatever the bytes, there is no
//! panic, no recursion deeper and no memory larger than the [`Limits`] allow, and no allocation on the word of a
//! count alone.
//!
//! Lacks on purpose: complex numbers (skipped, never decoded), Go's `BinaryMarshaler` and `TextMarshaler` values
//! (skipped), generic values without a Rust type, and any reading or writing of sockets and files.

// The derive macro names this crate `::gob`; the crate's own tests use it too.
extern crate self as gob;

mod cursor;
mod decoder;
mod definition;
mod describe;
mod duration;
mod encoder;
mod error;
mod frame;
mod interface;
mod limits;
mod number;
mod plan;
mod reader;
mod registry;
mod skip;
pub mod text;
mod time;
mod types;
mod value;
mod values;
mod whole;
mod writer;

pub use decoder::{Decoder, Progress};
pub use describe::{Describer, FieldType};
pub use duration::Duration;
pub use encoder::Encoder;
pub use error::Error;
pub use gob_derive::Gob;
pub use interface::Variant;
pub use limits::Limits;
pub use plan::{FieldPlan, Plan, Planner};
pub use reader::{Fields, Reader};
pub use time::{ParseTimeError, Time, Zone};
pub use types::WireId;
pub use value::Gob;
pub use values::Pairs;
pub use whole::{from_slice, to_vec};
pub use writer::Writer;

#[cfg(test)]
mod tests;
