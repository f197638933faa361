//! JSON as the clients and the original have it: JavaScript's.
//!
//! Digests of answers (entity tags) and tests of clients compare texts, so order of keys and form of numbers matter:
//! keys that are array indices come first, ascending; the others stay in the order they were given in; numbers are
//! doubles in their shortest form (imgapi.md §5.6).

mod parse;
mod text;
mod write;

pub(crate) use parse::number_value as from_number;
pub use parse::{MAXIMUM_VALUES, parse, parse_form};
pub use serde_json::{Map, Value};
pub use text::{boolean, is_truthy, number, to_text, utf16_length};
pub use write::{compact, pretty, pretty_into, quoted};

/// An object.
pub type Object = Map<String, Value>;
