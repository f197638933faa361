//! What decoding a request may cost. Nothing a client sends here is large: names, variables, times.

use gob::Limits;

/// Encoded bytes of a request. Variables may hold a key or a certificate.
const MESSAGE_BYTES: usize = 1 << 20;
/// Memory of a request.
const VALUE_BYTES: usize = 4 << 20;

/// For all requests.
pub(crate) fn request() -> Limits {
    Limits {
        max_message_bytes: MESSAGE_BYTES,
        max_value_bytes: VALUE_BYTES,
        ..Limits::default()
    }
}
