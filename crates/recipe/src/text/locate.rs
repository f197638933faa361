//! The line of a place in a text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Format;

/// The line, from 1, of what a path of positions leads to: in a table, the line of the name. 0 if it leads nowhere.
///
/// The text is read up to that place, where reading is ended by an error, since errors are what parsers tell the line of.
pub(super) fn line(text: &str, format: Format, path: &[usize]) -> usize {
    match format {
        Format::Json => {
            let seed = Walk { path, at_once: true };
            let result = seed.deserialize(&mut serde_json::Deserializer::from_str(text));
            result.err().map_or(0, |error| error.line())
        }
        Format::Yaml => {
            let Some(document) = serde_yaml::Deserializer::from_str(text).next() else {
                return 0;
            };
            let seed = Walk { path, at_once: false };
            let error = seed.deserialize(document).err();
            error
                .and_then(|error| Some(error.location()?.line()))
                .unwrap_or_default()
        }
    }
}

/// Walks down a path, and fails at its end.
#[derive(Clone, Copy)]
struct Walk<'a> {
    path: &'a [usize],
    /// Fail before a value is read, which for JSON is at its first byte; the parser of YAML knows a place only while it reads a value.
    at_once: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() && self.at_once {
            return Err(here());
        }
        deserializer.deserialize_any(self)
    }
}

fn here<E: Error>() -> E {
    E::custom("here")
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(here())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Err(here())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Err(here())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Err(here())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Err(here())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Err(here())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Err(here())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((&position, path)) = self.path.split_first() else {
            return Err(here());
        };
        for _ in 0..position {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Walk { path, ..self })?;
        Err(here())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((&position, path)) = self.path.split_first() else {
            return Err(here());
        };
        for _ in 0..position {
            entries.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        if path.is_empty() {
            entries.next_key_seed(Walk { path, ..self })?;
            return Err(here());
        }
        entries.next_key::<IgnoredAny>()?;
        entries.next_value_seed(Walk { path, ..self })
    }
}
