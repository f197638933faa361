//! JSON as Go's `encoding/json` writes and reads it (srpc.md §3.6).
//!
//! What differs from serde's habits: names are Go's field names, found regardless of case when reading; empty lists
//! and maps are `null`, and `null` is accepted for everything; `[]byte` is base64; strings that are not UTF-8 get the
//! replacement character; `<`, `>` and `&` are escaped. [`record!`](crate::record) declares a struct that follows
//! these rules with any serde_json reader and writer; the functions here add what those cannot do.

mod base64;
pub mod field;
mod fold;
mod map;
mod record;
mod value;
mod write;

pub use fold::{error_text, from_slice, without_comments};
pub use map::MapKey;
pub use value::GoJson;
pub(crate) use value::{Writing, lossy};
pub use write::{to_line, to_pretty};
