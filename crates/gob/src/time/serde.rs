//! Times in JSON, as Go writes and reads them (srpc.md §3.6).

use std::fmt;

use serde::de::Visitor;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Time;

impl Serialize for Time {
    /// A string; years that RFC 3339 cannot hold are an error, as in Go.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !(0..=9999).contains(&self.year()) {
            return Err(S::Error::custom("year of a time outside of range 0 to 9999"));
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    /// A string, or null for the zero time.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 time or null")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Time, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Time, E> {
        Ok(Time::ZERO)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Time, E> {
        Ok(Time::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer, UnitDeserializer};

    use super::*;

    #[test]
    fn reads_text_and_null() {
        let text: StrDeserializer<'_, Error> = "2023-11-14T22:13:20Z".into_deserializer();
        assert_eq!(Time::deserialize(text).unwrap().unix_seconds(), 1_700_000_000);
        let null: UnitDeserializer<Error> = ().into_deserializer();
        assert!(Time::deserialize(null).unwrap().is_zero());
        let text: StrDeserializer<'_, Error> = "yesterday".into_deserializer();
        assert!(Time::deserialize(text).is_err());
    }
}
