//! The messages of `.LocalUpgradeToUnix` (srpc.md §6).

use gob::Gob;
use serde::{Deserialize, Serialize};

/// The built-in method with its service, whose name is empty.
pub(crate) const FULL_NAME: &str = ".LocalUpgradeToUnix";
/// Bytes of a cookie.
pub(crate) const COOKIE_BYTES: usize = 8;

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[gob(name = "localUpgradeToUnixRequestOne")]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct RequestOne {
    #[serde(with = "base64")]
    pub(crate) client_cookie: Vec<u8>,
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[gob(name = "localUpgradeToUnixResponseOne")]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ResponseOne {
    pub(crate) error: String,
    #[serde(with = "base64")]
    pub(crate) server_cookie: Vec<u8>,
    pub(crate) socket_pathname: String,
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[gob(name = "localUpgradeToUnixRequestTwo")]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct RequestTwo {
    pub(crate) sent_server_cookie: bool,
}

#[derive(Gob, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[gob(name = "localUpgradeToUnixResponseTwo")]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ResponseTwo {
    pub(crate) error: String,
}

/// A cookie nobody can guess.
pub(crate) fn new_cookie() -> Result<[u8; COOKIE_BYTES], openssl::error::ErrorStack> {
    let mut cookie = [0; COOKIE_BYTES];
    openssl::rand::rand_bytes(&mut cookie)?;
    Ok(cookie)
}

/// Byte lists as Go has them in JSON: base64 text, or null for none.
mod base64 {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if bytes.is_empty() {
            return serializer.serialize_none();
        }
        serializer.serialize_str(&openssl::base64::encode_block(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        match Option::<String>::deserialize(deserializer)? {
            None => Ok(Vec::new()),
            Some(text) if text.is_empty() => Ok(Vec::new()),
            Some(text) => openssl::base64::decode_block(&text).map_err(D::Error::custom),
        }
    }
}
