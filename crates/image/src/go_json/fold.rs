//! Reading JSON as leniently as Go does: names regardless of case, `null` anywhere, comment lines in files.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde_json::{Error, Value};

/// Reads a value from JSON text; field names match regardless of case, an exact one first.
///
/// The text is held in memory whole: meant for files that people write, not for large trees.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    T::deserialize(Lenient(serde_json::from_slice(text)?))
}

/// Drops comment lines: those that start with `#`, `//` or `!` after white space (imagetool.md §5.2).
pub fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let content = line.trim_ascii_start();
        if content.starts_with(b"#") || content.starts_with(b"//") || content.starts_with(b"!") {
            continue;
        }
        kept.extend_from_slice(line);
    }
    kept
}

/// The text of a JSON error without the position serde_json adds, for peers that compare texts.
pub fn error_text(error: &Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).map(str::to_owned).unwrap_or(text)
}

/// Wraps parsed JSON; structs find their fields regardless of case.
struct Lenient(Value);

impl<'de> Deserializer<'de> for Lenient {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                SeqDeserializer::new(items.into_iter().map(Lenient)).deserialize_any(visitor)
            }
            Value::Object(entries) => {
                let entries = entries.into_iter().map(|(name, value)| (name, Lenient(value)));
                MapDeserializer::new(entries).deserialize_any(visitor)
            }
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Value::Object(entries) = self.0 else {
            return self.0.deserialize_struct(name, fields, visitor);
        };
        // The last of several spellings wins, as in Go, where each overwrites the one before.
        let mut folded: Vec<(&'static str, Lenient)> = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            let field = fields
                .iter()
                .find(|field| **field == name)
                .or_else(|| fields.iter().find(|field| field.eq_ignore_ascii_case(&name)));
            let Some(&field) = field else { continue };
            match folded.iter_mut().find(|known| known.0 == field) {
                Some(known) => known.1 = Lenient(value),
                None => folded.push((field, Lenient(value))),
            }
        }
        MapDeserializer::new(folded.into_iter()).deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ComputedFile, Trigger};

    #[test]
    fn names_are_found_regardless_of_case_and_unknown_ones_ignored() {
        let text = br#"[{"matchlines": ["a"], "SERVICE": "s", "doReload": true, "Comment": {"Service": 1}}]"#;
        let triggers: Vec<Trigger> = from_slice(text).unwrap();
        assert_eq!(triggers[0].match_lines, ["a"]);
        assert_eq!(triggers[0].service, "s");
        assert!(triggers[0].do_reload);
    }

    #[test]
    fn the_last_of_several_spellings_wins() {
        let file: ComputedFile = from_slice(br#"{"FILENAME": "a", "filename": "b"}"#).unwrap();
        assert_eq!(file.filename, "b");
    }

    #[test]
    fn null_is_accepted_everywhere() {
        let text = br#"[{"MatchLines": null, "Service": null, "DoReboot": null}, {"MatchLines": [null]}]"#;
        let triggers: Vec<Trigger> = from_slice(text).unwrap();
        assert_eq!(triggers[0], Trigger::default());
        assert_eq!(triggers[1].match_lines, [""]);
        assert_eq!(serde_json::from_slice::<Vec<Trigger>>(text).unwrap(), triggers);
    }

    #[test]
    fn comment_lines_are_dropped_and_nothing_else() {
        let text = b"# one\n[\n  // two\n\t! three\n\"a # b\"\n]";
        assert_eq!(without_comments(text), b"[\n\"a # b\"\n]");
    }

    #[test]
    fn error_text_has_no_position() {
        let error = serde_json::from_slice::<u8>(b"[").unwrap_err();
        assert!(error.to_string().contains("line 1"));
        assert!(!error_text(&error).contains("line 1"));
    }
}
