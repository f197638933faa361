//! Maps: objects whose names are the keys.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use bstr::{BString, ByteSlice};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};

use super::GoJson;
use super::value::{Reading, Writing, lossy};

impl<K: MapKey, V: GoJson> GoJson for BTreeMap<K, V> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_empty() {
            serializer.serialize_none()
        } else {
            write_map(self, serializer)
        }
    }

    fn write_present<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_map(self, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(MapVisitor(PhantomData))
    }
}

/// Writes a map that exists, be it empty: keys as strings, in the order of those strings.
fn write_map<K: MapKey, V: GoJson, S: Serializer>(
    map: &BTreeMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.text(), value)).collect();
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    let mut out = serializer.serialize_map(Some(entries.len()))?;
    for (key, value) in entries {
        out.serialize_entry(&key, &Writing(value))?;
    }
    out.end()
}

/// A key of a map; Go writes all of them as strings.
pub trait MapKey: Ord + Sized {
    /// The string form.
    fn text(&self) -> String;

    /// The key of a string form.
    fn parse(text: &str) -> Option<Self>;
}

impl MapKey for String {
    fn text(&self) -> String {
        self.clone()
    }

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl MapKey for BString {
    fn text(&self) -> String {
        lossy(self.as_bstr()).into_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        Some(text.into())
    }
}

impl MapKey for u64 {
    fn text(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

struct MapVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K: MapKey, V: GoJson> Visitor<'de> for MapVisitor<K, V> {
    type Value = BTreeMap<K, V>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or null")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry::<String, Reading<V>>()? {
            let key = K::parse(&key).ok_or_else(|| A::Error::custom(format!("bad map key: {key:?}")))?;
            map.insert(key, value.0);
        }
        Ok(map)
    }
}
