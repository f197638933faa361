//! Values as text: for scripts (`?format=text`) and for people.

use std::fmt::{self, Display};

use jiff::Timestamp;

use super::value::{exact_seconds, since_epoch};
use super::{Distribution, Unit, Value};

/// For scripts: strings quoted, times and durations in seconds with 9 decimals.
pub(super) struct ForScripts<'a>(pub(super) &'a Value);

/// For people: sizes, times and durations as they are read.
pub(super) struct ForPeople<'a>(pub(super) &'a Value, pub(super) Unit);

impl Display for ForScripts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Unsigned(value) => value.fmt(f),
            Value::Signed(value) => value.fmt(f),
            Value::Float(value) => value.fmt(f),
            Value::Boolean(value) => value.fmt(f),
            Value::Text(value) => write!(f, "{value:?}"),
            Value::Time(value) => f.write_str(&exact_seconds(since_epoch(*value))),
            Value::Duration(value) => f.write_str(&exact_seconds(*value)),
            Value::Distribution(value) => value.fmt(f),
        }
    }
}

impl Display for ForPeople<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Value::Unsigned(bytes), Unit::Bytes) => f.write_str(&human::size(*bytes)),
            (Value::Time(value), _) => match Timestamp::try_from(*value) {
                Ok(value) => value.fmt(f),
                Err(_) => f.write_str("-"),
            },
            (Value::Duration(value), _) => f.write_str(&human::duration(*value)),
            (Value::Text(value), _) => f.write_str(value),
            (value, _) => ForScripts(value).fmt(f),
        }
    }
}

impl Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            min,
            max,
            median,
            sum,
            count,
            buckets,
        } = self;
        let average = self.average();
        write!(
            f,
            "{{min:{min};max:{max};avg:{average};median:{median};sum:{sum};count:{count}"
        )?;
        for bucket in buckets.iter().filter(|bucket| bucket.count > 0) {
            let lower = bucket.lower.unwrap_or(f64::NEG_INFINITY);
            let upper = bucket.upper.unwrap_or(f64::INFINITY);
            write!(f, ";[{lower},{upper}):{}", bucket.count)?;
        }
        f.write_str("}")
    }
}
