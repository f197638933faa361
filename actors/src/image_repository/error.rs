//! Why a change was not made.

use super::{RecordProblem, Upload};
use crate::CallError;
use crate::pool::PoolError;
use repository::{ApiError, Code, Uuid};
use storage::StorageError;

/// What can go wrong with a change of the repository. Unless said otherwise nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// The image is not what it was when the change was made of it: read it again, and make the change of that.
    #[error("the image changed meanwhile: read it again")]
    Changed,
    /// There is an image of that name, or a file of it that cannot be read as one.
    #[error("there is an image {0} already")]
    Exists(Uuid),
    /// There is no image of that name.
    #[error("there is no image {0}")]
    Missing(Uuid),
    /// The image has no such file, or no icon.
    #[error("image {uuid} has no {file} in this directory")]
    NoFile {
        /// The image.
        uuid: Uuid,
        /// Which file.
        file: String,
    },
    /// Somebody spoilt its record since it was read.
    #[error("{0}; repair it or restore it")]
    Unreadable(RecordProblem),
    /// Somebody else goes on with this upload, or too many are in progress: try later.
    #[error("another upload is in progress: try again later")]
    Busy,
    /// The disk is full.
    #[error("no space left for {what}: delete images, or give the repository a larger disk")]
    NoSpace {
        /// What was to be written, below the base directory.
        what: String,
    },
    /// The directory, or a file in it.
    #[error(transparent)]
    Storage(StorageError),
    /// A defect in this program.
    #[error("internal error: {0}")]
    Internal(String),
    /// The actor. With [`CallError::Restarted`] the change may have been made.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl RepositoryError {
    /// What a client is told, of an image that was not saved; the log has the rest.
    pub fn answer(&self) -> ApiError {
        self.answer_of("could not save image")
    }

    /// The same for something else that failed.
    pub fn answer_of(&self, what: &str) -> ApiError {
        let unavailable = |message: &str| ApiError::new(Code::ServiceUnavailable, message);
        match self {
            Self::Changed => unavailable("the image is being changed by others, try again"),
            Self::Exists(uuid) => ApiError::already_exists(*uuid),
            Self::Missing(uuid) => ApiError::image_not_found(*uuid),
            Self::Busy => {
                unavailable("another upload of this image is in progress, or too many are, try again later")
            }
            Self::Call(CallError::Busy { .. }) => unavailable("too many changes wait, try again later"),
            Self::Call(error) => {
                tracing::error!(%error, "{what}");
                unavailable("service unavailable, try again")
            }
            error => {
                tracing::error!(%error, "{what}");
                ApiError::new(Code::InternalError, format!("{what}: {error}"))
            }
        }
    }
}

impl From<StorageError> for RepositoryError {
    fn from(error: StorageError) -> Self {
        match &error {
            StorageError::Io { what, .. } if error.is_out_of_space() => {
                RepositoryError::NoSpace { what: what.clone() }
            }
            _ => RepositoryError::Storage(error),
        }
    }
}

impl From<PoolError> for RepositoryError {
    fn from(error: PoolError) -> Self {
        RepositoryError::Internal(error.to_string())
    }
}

pub(super) fn no_threads(error: std::io::Error) -> RepositoryError {
    RepositoryError::Internal(format!("cannot start threads: {error}"))
}

/// A file that was not put in its place.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct CommitError {
    /// Why.
    pub error: RepositoryError,
    /// The upload, where it can be tried again. Dropped, it leaves nothing.
    pub upload: Option<Box<Upload>>,
}

impl CommitError {
    pub(super) fn new(error: RepositoryError, upload: Option<Upload>) -> Self {
        let upload = upload.map(Box::new);
        Self { error, upload }
    }
}
