//! The macro that declares structs known to gob and to JSON alike.

/// Declares plain structs that travel between programs.
///
/// Each gets the usual derives, gob under its own name with UpperCamelCase fields, and JSON by Go's rules
/// ([`go_json`](crate::go_json)). Further attributes on fields pass through, as for the few names that are not
/// UpperCamelCase: `#[gob(name = "URL")] #[serde(rename = "URL")]`.
#[macro_export]
macro_rules! record {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident { $( $(#[$field_meta:meta])* pub $field:ident: $type:ty, )* }
    )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, ::gob::Gob, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        pub struct $name {
            $( $(#[$field_meta])* #[serde(with = "::image::go_json::field")] pub $field: $type, )*
        }

        $crate::go_json_by_serde!($name);
    )+ };
}

/// Lets types whose serde form already is Go's form stand in fields of [`record!`](crate::record) structs.
#[macro_export]
macro_rules! go_json_by_serde {
    ($($type:ty),+ $(,)?) => { $(
        impl $crate::go_json::GoJson for $type {
            fn write<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                ::serde::Serialize::serialize(self, serializer)
            }

            fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value: Option<Self> = ::serde::Deserialize::deserialize(deserializer)?;
                Ok(value.unwrap_or_default())
            }
        }
    )+ };
}
