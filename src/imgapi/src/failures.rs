//! What clients are told when the store fails them, beside [`RepositoryError::answer`]. The log has the rest.

use std::io;

use actors::RepositoryError;
use actors::jobs::JobsError;
use repository::transfer::Kind;
use repository::{ApiError, Code, Uuid};

/// The answer to an upload that could not be written.
pub(crate) fn not_received(kind: Kind, error: &RepositoryError) -> ApiError {
    error.answer_of(match kind {
        Kind::File => "error receiving image file",
        Kind::Icon => "error receiving icon",
    })
}

/// An image that was changed by others at each try.
pub(crate) fn always_changed(uuid: Uuid) -> ApiError {
    unavailable(&format!("image {uuid} is being changed by others, try again"))
}

/// The system has no threads left.
pub(crate) fn no_thread(error: &io::Error) -> ApiError {
    tracing::error!(%error, "cannot start a thread for an upload");
    unavailable("too many uploads, try again later")
}

fn unavailable(message: &str) -> ApiError {
    ApiError::new(Code::ServiceUnavailable, message)
}

/// The answer to a job that was not taken.
pub(crate) fn of_jobs(error: &JobsError) -> ApiError {
    match error {
        JobsError::Call(error) => {
            tracing::error!(%error, "jobs");
            ApiError::jobs_down()
        }
        error => unavailable(&error.to_string()),
    }
}
