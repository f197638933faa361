//! The two functions named by `#[serde(with = "...")]` on the fields of [`record!`](crate::record) structs.

use serde::{Deserializer, Serializer};

use super::GoJson;

/// Writes a field.
pub fn serialize<T: GoJson, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.write(serializer)
}

/// Reads a field.
pub fn deserialize<'de, T: GoJson, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}
