//! Why bytes could not be decoded.

use crate::types::WireId;

/// A decoding failure. Texts that Go's peers show to people are Go's own (srpc.md §3.1 quotes them).
///
/// A decoder that returned an error has lost its place in the value, see
/// [`Decoder::consumed_by_failure`](crate::Decoder::consumed_by_failure).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value of a type that was never defined, or bytes that are no gob at all.
    #[error("gob: unknown type id or corrupted data")]
    UnknownType {
        /// The id that has no definition.
        id: WireId,
    },
    /// A second definition of an id, or one of an id below 64.
    #[error("gob: duplicate type received")]
    DuplicateType {
        /// The id defined again.
        id: WireId,
    },
    /// A type definition that is not one.
    #[error("gob: bad type definition: {0}")]
    BadDefinition(&'static str),
    /// A message goes on after its value or definition.
    #[error("gob: extra data in buffer")]
    ExtraData,
    /// A value goes on after its message.
    #[error("gob: unexpected end of message")]
    UnexpectedEnd,
    /// An encoded number of more than 8 bytes.
    #[error("gob: encoded unsigned integer out of range")]
    BadNumber,
    /// A struct field that its type does not have.
    #[error("gob: bad data: field numbers out of bounds")]
    FieldNumber,
    /// Something other than 0 before a value that is no struct.
    #[error("gob: decode: corrupted data: non-zero delta for singleton")]
    Singleton,
    /// An array of a length other than its type's.
    #[error("gob: array of {got} elements, want {want}")]
    ArrayLength {
        /// Elements announced by the value.
        got: u64,
        /// Elements of the type.
        want: u64,
    },
    /// The received type cannot be put into the local one.
    #[error("gob: decoding into local type {local}, received remote type {remote}")]
    Mismatch {
        /// The local type.
        local: String,
        /// The type received, as its sender named it.
        remote: String,
    },
    /// A field of the same name has a type that cannot be put into the local one.
    #[error("gob: wrong type ({local}) for received field {field}")]
    WrongField {
        /// The local type.
        local: String,
        /// Struct and field, as the sender named them.
        field: String,
    },
    /// A struct was wanted.
    #[error("gob: type mismatch in decoder: want struct type {local}; got non-struct")]
    NotAStruct {
        /// The local type.
        local: &'static str,
    },
    /// Both structs have fields, but none of the same name (gob.md §4).
    #[error("gob: type mismatch: no fields matched compiling decoder for {local}")]
    NoFieldsMatched {
        /// The local type.
        local: &'static str,
    },
    /// An interface value of a type this side does not know (gob.md §5.1).
    #[error("gob: name not registered for interface: {name:?}")]
    UnknownName {
        /// The registered name received.
        name: String,
    },
    /// No value where the local type needs one of an interface's implementers.
    #[error("nil value for interface {local}")]
    NilInterface {
        /// The local type.
        local: &'static str,
    },
    /// A number too large or too small for the local type.
    #[error("value out of range")]
    OutOfRange,
    /// A time that is not one (gob.md §6).
    #[error("bad time: {0}")]
    BadTime(&'static str),
    /// A failure inside a named field.
    #[error("gob: field {path}: {source}")]
    Field {
        /// Struct and field names from the outside in, joined by dots.
        path: String,
        /// What is wrong with the field.
        source: Box<Error>,
    },
    /// More than the [`Limits`](crate::Limits) allow.
    #[error("gob: {what} exceeds the limit of {limit}")]
    TooLarge {
        /// What was counted, with its unit.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl Error {
    /// The same error, naming the field it happened in where that helps. Errors about the stream as a whole keep
    /// Go's text.
    #[cold]
    pub fn in_field(self, structure: &'static str, field: &'static str) -> Self {
        match self {
            Self::OutOfRange | Self::BadTime(_) | Self::NilInterface { .. } => Self::Field {
                path: format!("{structure}.{field}"),
                source: Box::new(self),
            },
            Self::Field { path, source } => {
                // The inner path starts with the inner struct's name, which the field's name replaces.
                let inner = path.split_once('.').map_or(path.as_str(), |(_, rest)| rest);
                Self::Field {
                    path: format!("{structure}.{field}.{inner}"),
                    source,
                }
            }
            other => other,
        }
    }
}
