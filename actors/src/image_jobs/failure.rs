//! What clients are told when the store fails.

use crate::{CallError, RepositoryError};
use repository::{ApiError, Code};

/// The error of a change that was not made.
pub(crate) fn of_repository(error: &RepositoryError) -> ApiError {
    let unavailable = |message: &str| ApiError::new(Code::ServiceUnavailable, message);
    match error {
        RepositoryError::Exists(uuid) => ApiError::already_exists(*uuid),
        RepositoryError::Missing(uuid) => ApiError::image_not_found(*uuid),
        RepositoryError::Changed => unavailable("the image is being changed by others, try again"),
        RepositoryError::Busy => unavailable("another upload of this image is in progress, try again later"),
        RepositoryError::Call(CallError::Busy { .. }) => {
            unavailable("too many changes wait, try again later")
        }
        RepositoryError::Call(_) => unavailable("service unavailable, try again"),
        error => ApiError::new(Code::InternalError, format!("could not save image: {error}")),
    }
}
