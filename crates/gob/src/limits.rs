//! What a decoder is willing to spend on one stream.

/// Bounds on what a peer can make a [`Decoder`](crate::Decoder) do. The defaults fit whole machine images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message, without its length prefix.
    pub max_message_bytes: usize,
    /// Bytes of one decoded value, counted as the memory it takes; also bounds the encoded bytes of one value with
    /// its definitions.
    pub max_value_bytes: usize,
    /// Type definitions on one stream.
    pub max_types: usize,
    /// Structs, lists, maps and interface values inside each other. Each level costs a few stack frames.
    pub max_depth: usize,
    /// Further messages one value may be split over (gob.md §5.2). Each costs decoding the value's start again if
    /// it was not there at the first try.
    pub max_continuations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: 256 << 20,
            max_value_bytes: 1 << 30,
            max_types: 4096,
            max_depth: 100,
            max_continuations: 64,
        }
    }
}

/// Memory all type definitions of one stream may take.
pub(crate) const MAX_TYPE_TABLE_BYTES: usize = 16 << 20;

/// Steps of all field plans of one stream: local types times wire fields.
pub(crate) const MAX_PLAN_STEPS: usize = 1 << 20;

/// Bytes of a registered name, as in Go.
pub(crate) const MAX_REGISTERED_NAME_BYTES: usize = 1024;
