//! How one value inside a struct is written and read.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A value with a form in Go's JSON.
///
/// Beside serde's own traits because it differs for standard types: an empty list is `null`, a list of bytes base64,
/// and whatever is `null` reads as the default.
pub trait GoJson: Sized {
    /// Writes the value.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Writes the value where it is known to be there, in an `Option`: an empty map is then `{}`.
    fn write_present<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }

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

crate::go_json_by_serde!(
    bool,
    i16,
    i32,
    i64,
    u32,
    u64,
    gob::Time,
    gob::Duration,
    hash::Hash
);

/// Adapts a [`GoJson`] reference to serde's trait.
pub(crate) struct Writing<'a, T>(pub(crate) &'a T);

impl<T: GoJson> Serialize for Writing<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Adapts a [`GoJson`] value to serde's trait.
pub(super) struct Reading<T>(pub(super) T);

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
            Some(value) => value.write_present(serializer),
            None => serializer.serialize_none(),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Reading<T>>::deserialize(deserializer)?.map(|value| value.0))
    }
}

impl<T: GoJson> GoJson for Arc<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::write(self, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self::new)
    }
}

/// Bytes that are not UTF-8 are shown as Go shows them.
impl GoJson for String {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if gob::text::has_bytes(self) {
            return serializer.serialize_str(&lossy(gob::text::to_bytes(self).as_bstr()));
        }
        serializer.serialize_str(self)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Option<Self> = Deserialize::deserialize(deserializer)?;
        Ok(text.unwrap_or_default())
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
        out.extend(std::iter::repeat_n(
            char::REPLACEMENT_CHARACTER,
            chunk.invalid().len(),
        ));
    }
    out.into()
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
