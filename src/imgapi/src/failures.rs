//! What clients are told when the store fails them. The log has the rest.

use std::io;

use actors::jobs::JobsError;
use actors::{CallError, RepositoryError};
use repository::transfer::Kind;
use repository::{ApiError, Code, Uuid};

/// The answer to a change that was not made, or to something that cannot be read.
pub(crate) fn of_repository(error: &RepositoryError) -> ApiError {
    told("could not save image", error)
}

/// The answer to an upload that could not be written.
pub(crate) fn not_received(kind: Kind, error: &RepositoryError) -> ApiError {
    match kind {
        Kind::File => told("error receiving image file", error),
        Kind::Icon => told("error receiving icon", error),
    }
}

fn told(what: &str, error: &RepositoryError) -> ApiError {
    match error {
        RepositoryError::Changed => unavailable("the image is being changed by others, try again"),
        RepositoryError::Exists(uuid) => ApiError::already_exists(*uuid),
        RepositoryError::Missing(uuid) => ApiError::image_not_found(*uuid),
        RepositoryError::Busy => {
            unavailable("another upload of this image is in progress, or too many are, try again later")
        }
        RepositoryError::Call(CallError::Busy { .. }) => {
            unavailable("too many changes wait, try again later")
        }
        RepositoryError::Call(error) => {
            tracing::error!(%error, "{what}");
            unavailable("service unavailable, try again")
        }
        error => {
            tracing::error!(%error, "{what}");
            ApiError::new(Code::InternalError, format!("{what}: {error}"))
        }
    }
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
