//! Names for new images.

use repository::{ApiError, Code, Result, Uuid};

/// A new name.
///
/// # Errors
/// The system has no random bytes.
pub(crate) fn new_uuid() -> Result<Uuid> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).map_err(|error| {
        ApiError::new(
            Code::InternalError,
            format!("no random bytes for a name: {error}"),
        )
    })?;
    Ok(Uuid::from_random(bytes))
}
