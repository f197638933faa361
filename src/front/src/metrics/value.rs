//! Values of figures and how they are written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things, or nothing in particular.
    None,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
}

impl Unit {
    /// The word in the JSON form.
    pub fn word(self) -> &'static str {
        match self {
            Unit::None => "None",
            Unit::Bytes => "Bytes",
            Unit::Seconds => "Seconds",
            Unit::Milliseconds => "Milliseconds",
        }
    }
}

/// A value now.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A count that cannot be negative.
    Unsigned(u64),
    /// A number.
    Signed(i64),
    /// A fraction.
    Float(f64),
    /// A switch.
    Boolean(bool),
    /// A text.
    Text(String),
    /// A point in time.
    Time(SystemTime),
    /// A span of time.
    Duration(Duration),
    /// How values are spread.
    Distribution(Distribution),
}

/// How many values fell where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// Smallest value, 0 without any.
    pub min: f64,
    /// Largest value, 0 without any.
    pub max: f64,
    /// Median, estimated from the buckets.
    pub median: f64,
    /// Sum.
    pub sum: f64,
    /// Number of values.
    pub count: u64,
    /// The buckets, lowest first.
    pub buckets: Vec<Bucket>,
}

/// One bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Values are not below this; `None` for the lowest bucket.
    pub lower: Option<f64>,
    /// Values are below this; `None` for the highest bucket.
    pub upper: Option<f64>,
    /// Number of values.
    pub count: u64,
}

impl Distribution {
    /// Sum over count, 0 without any.
    pub fn average(&self) -> f64 {
        // A count of calls is far below the 2^53 an f64 holds exactly.
        if self.count == 0 {
            0.0
        } else {
            self.sum / self.count as f64
        }
    }
}

impl Value {
    /// The word of the kind in pages and JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Unsigned(_) => "uint64",
            Value::Signed(_) => "int64",
            Value::Float(_) => "float64",
            Value::Boolean(_) => "bool",
            Value::Text(_) => "string",
            Value::Time(_) => "time",
            Value::Duration(_) => "duration",
            Value::Distribution(_) => "distribution",
        }
    }

    /// As a plain number, for machines; `None` for texts and distributions.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Unsigned(value) => Some(*value as f64),
            Value::Signed(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            Value::Boolean(value) => Some(f64::from(u8::from(*value))),
            Value::Time(value) => Some(since_epoch(*value).as_secs_f64()),
            Value::Duration(value) => Some(value.as_secs_f64()),
            Value::Text(_) | Value::Distribution(_) => None,
        }
    }
}

/// Seconds since 1970 with 9 decimals.
pub(super) fn exact_seconds(duration: Duration) -> String {
    format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos())
}

/// Zero for times before 1970, which no figure has.
pub(super) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Value::Unsigned(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Value::Unsigned(value as u64)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Signed(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Boolean(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.to_owned())
    }
}

impl From<SystemTime> for Value {
    fn from(value: SystemTime) -> Self {
        Value::Time(value)
    }
}

impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Value::Duration(value)
    }
}
