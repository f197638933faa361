//! `?action=export` (imgapi.md §13.6): the object store it writes to is not here.

use repository::manifest::Record;
use repository::{ApiError, Code, Result};

use crate::answer::Answer;
use crate::change::Change;
use crate::request::Asked;

/// An error, whatever is asked; which one is the original's.
pub(super) async fn answer(asked: &Asked, _change: &Change, _record: &Record) -> Result<Answer> {
    let Some(path) = asked.parameters.get_nonempty("manta_path") else {
        let message = "missing 'manta_path' prefix parameter";
        return Err(ApiError::validation_failed(
            "manta_path",
            "MissingParameter",
            message,
        ));
    };
    if !path.starts_with('/') {
        let message = "invalid manta_path prefix, not a valid manta path";
        return Err(ApiError::invalid_parameter("manta_path", "Invalid", message));
    }
    Err(ApiError::new(
        Code::StorageUnsupported,
        "storage type is unsupported",
    ))
}
