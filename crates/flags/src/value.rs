//! A parsed value and the texts of what can be wrong with one.

use std::fmt;
use std::time::Duration;

use crate::{Kind, go_syntax};

/// A parsed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text or a chosen word.
    Text(String),
    /// A boolean.
    Boolean(bool),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A duration.
    Duration(Duration),
    /// Bytes, and the text they were given as (metrics show it).
    Size {
        /// The number of bytes.
        bytes: u64,
        /// As given, such as `10MiB`.
        text: String,
    },
    /// The elements of a list; none for an empty text.
    List(Vec<String>),
}

/// Why a value is refused; the text is what Go prints after the last colon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not in the syntax of the kind.
    #[error("parse error")]
    Syntax,
    /// A number too large for 64 bits.
    #[error("value out of range")]
    Range,
    /// Not a size.
    #[error("strconv.ParseUint: parsing {0:?}: invalid syntax")]
    Size(String),
    /// Not one of the words of a choice.
    #[error("must be one of {0}")]
    Choice(String),
    /// Refused by the flag's own check.
    #[error("{0}")]
    Refused(String),
}

impl Value {
    /// Reads `text` as a value of this kind.
    ///
    /// # Errors
    /// [`ValueError`] with the text Go prints.
    pub fn read(kind: Kind, text: &str) -> Result<Self, ValueError> {
        match kind {
            Kind::Text => Ok(Value::Text(text.to_owned())),
            Kind::Boolean => go_syntax::boolean(text).map(Value::Boolean),
            Kind::Integer => go_syntax::signed(text).map(Value::Integer),
            Kind::Unsigned => go_syntax::unsigned(text).map(Value::Unsigned),
            Kind::Duration => duration(text).map(Value::Duration),
            Kind::Size => size(text),
            Kind::List => Ok(Value::List(list(text))),
            Kind::Choice(words) if words.contains(&text) => Ok(Value::Text(text.to_owned())),
            Kind::Choice(words) => Err(ValueError::Choice(words.join(" "))),
        }
    }
}

fn duration(text: &str) -> Result<Duration, ValueError> {
    // Go takes negative durations; no flag of these programs has a use for one.
    human::parse_go_duration(text).map_err(|_| ValueError::Syntax)
}

fn size(text: &str) -> Result<Value, ValueError> {
    if text.is_empty() {
        return Ok(Value::Size {
            bytes: 0,
            text: "0B".to_owned(),
        });
    }
    let bytes = human::parse_size(text).map_err(|_| ValueError::Size(text.to_owned()))?;
    Ok(Value::Size {
        bytes,
        text: text.to_owned(),
    })
}

fn list(text: &str) -> Vec<String> {
    if text.is_empty() {
        Vec::new()
    } else {
        text.split(',').map(str::to_owned).collect()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) | Value::Size { text, .. } => f.write_str(text),
            Value::Boolean(value) => value.fmt(f),
            Value::Integer(value) => value.fmt(f),
            Value::Unsigned(value) => value.fmt(f),
            Value::Duration(value) => f.write_str(&human::go_duration(*value)),
            Value::List(elements) => f.write_str(&elements.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_values_give_the_texts_of_go() {
        let reason = |kind, text| Value::read(kind, text).map_err(|error| error.to_string());
        assert_eq!(reason(Kind::Duration, "5"), Err("parse error".into()));
        assert_eq!(reason(Kind::Boolean, "x"), Err("parse error".into()));
        assert_eq!(
            reason(Kind::Unsigned, "99999999999999999999"),
            Err("value out of range".into())
        );
        assert_eq!(
            reason(Kind::Size, "zz"),
            Err("strconv.ParseUint: parsing \"zz\": invalid syntax".into())
        );
        assert_eq!(
            reason(Kind::Choice(&["gpt", "msdos"]), "x"),
            Err("must be one of gpt msdos".into())
        );
    }

    #[test]
    fn durations_sizes_and_lists_are_read() {
        let hours = Value::read(Kind::Duration, "24h0m0s");
        assert_eq!(hours, Ok(Value::Duration(Duration::from_secs(86_400))));
        let size = Value::read(Kind::Size, "10MiB");
        assert_eq!(
            size,
            Ok(Value::Size {
                bytes: 10 << 20,
                text: "10MiB".into()
            })
        );
        assert_eq!(Value::read(Kind::List, ""), Ok(Value::List(vec![])));
        assert_eq!(
            Value::read(Kind::List, "a,b"),
            Ok(Value::List(vec!["a".into(), "b".into()]))
        );
    }
}
