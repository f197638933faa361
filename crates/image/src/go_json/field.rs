//! How one value inside a struct is written and read.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use bstr::{BStr, BString, ByteSlice};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value with a form in Go's JSON.
///
/// Beside serde's own traits because it differs for standard types: an empty list is `null`, a list of bytes base64,
/// and whatever is `null` reads as the default.
pub trait GoJson: Sized {
    /// Writes the value.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads the value; `null` is the default value.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Writes a list of such values.
    fn write_list<S: Serializer>(list: &[Self], serializer: S) -> Result<S::Ok, S::Error> {
        if list.is_empty() {
            return serializer.serialize_none();
        }
        serializer.collect_seq(list.iter().map(Writing))
    }

    /// Reads a list of such values.
    fn read_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Self>, D::Error> {
        deserializer.deserialize_option(ListVisitor(PhantomData))
    }
}

/// The two functions named by `#[serde(with = "...")]` on the fields of [`record!`](crate::record) structs.
pub mod field {
    use super::GoJson;
    use serde::{Deserializer, Serializer};

    /// Writes a field.
    pub fn serialize<T: GoJson, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.write(serializer)
    }

    /// Reads a field.
    pub fn deserialize<'de, T: GoJson, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer)
    }
}

crate::go_json_by_serde!(bool, i16, i32, i64, u32, u64, String, gob::Time, gob::Duration, hash::Hash);

/// Adapts a [`GoJson`] reference to serde's trait.
struct Writing<'a, T>(&'a T);

impl<T: GoJson> Serialize for Writing<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Adapts a [`GoJson`] value to serde's trait.
struct Reading<T>(T);

impl<'de, T: GoJson> Deserialize<'de> for Reading<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

impl GoJson for u8 {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Self>::deserialize(deserializer)?.unwrap_or_default())
    }

    fn write_list<S: Serializer>(list: &[Self], serializer: S) -> Result<S::Ok, S::Error> {
        if list.is_empty() {
            return serializer.serialize_none();
        }
        serializer.serialize_str(&super::base64::encode(list))
    }

    fn read_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Self>, D::Error> {
        let Some(text) = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)? else {
            return Ok(Vec::new());
        };
        super::base64::decode(&text).ok_or_else(|| D::Error::custom("illegal base64 data"))
    }
}

impl<T: GoJson> GoJson for Vec<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::write_list(self, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read_list(deserializer)
    }
}

impl<T: GoJson> GoJson for Option<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Reading<T>>::deserialize(deserializer)?.map(|value| value.0))
    }
}

impl GoJson for BString {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&lossy(self.as_bstr()))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::read(deserializer).map(Self::from)
    }
}

/// Go replaces each byte that is not UTF-8, not each run of them.
pub(crate) fn lossy(text: &BStr) -> std::borrow::Cow<'_, str> {
    if let Ok(text) = text.to_str() {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(std::iter::repeat_n(char::REPLACEMENT_CHARACTER, chunk.invalid().len()));
    }
    out.into()
}

impl<K: MapKey, V: GoJson> GoJson for BTreeMap<K, V> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_empty() { serializer.serialize_none() } else { write_map(self, serializer) }
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

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: GoJson> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list or null")
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_none<E: Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Reading<T>>()? {
            list.push(item.0);
        }
        Ok(list)
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
