//! How values are written on a connection.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The encoding of a connection's values, chosen by the path of its CONNECT (srpc.md §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coder {
    /// Go's gob; raw bytes and text lines may directly follow a value.
    Gob,
    /// One JSON value per message, each followed by LF.
    Json,
}

/// What can be a request, a reply or a streamed value: both encodings know it.
pub trait Message: gob::Gob + Serialize + DeserializeOwned {}

impl<T: gob::Gob + Serialize + DeserializeOwned> Message for T {}
