//! Why a step of a build failed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::filters::Refused;
use sandbox::{Outcome, SandboxError};

/// What went wrong in a step. The texts are what the original's clients show (`builder-tool.md §6`).
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// What was being done, and the cause.
    #[error("{doing}: {cause}")]
    While {
        /// As in the original: `error running script: NAME`.
        doing: String,
        /// Why it failed.
        cause: Box<StepError>,
    },
    /// A command ended otherwise than with success: `exit status 3`.
    #[error("{0}")]
    Command(Outcome),
    /// The commands of the build took longer than they may, together.
    #[error("the build took longer than {}, killed", human::duration(*.0))]
    Deadline(Duration),
    /// Somebody asked for the end of the build.
    #[error("build cancelled")]
    Cancelled,
    /// No sandbox could be made.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A file or directory.
    #[error("{}: {}", path.display(), tree_io::os_text(source))]
    Io {
        /// Which: on the host, or absolute in the image.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in the manifest or the image is not as it must be.
    #[error("{0}")]
    Wrong(String),
    /// So many tests of the image failed.
    #[error("{0} tests failed")]
    TestsFailed(usize),
}

impl StepError {
    /// Whether the build was ended because somebody asked.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled => true,
            Self::While { cause, .. } => cause.is_cancelled(),
            _ => false,
        }
    }

    pub(crate) fn wrong(text: impl Into<String>) -> Self {
        Self::Wrong(text.into())
    }
}

impl From<Refused> for StepError {
    fn from(error: Refused) -> Self {
        match error {
            Refused::Cancelled => Self::Cancelled,
            Refused::Filter(error) => Self::wrong(error.to_string()),
        }
    }
}

/// Says what was being done.
pub(crate) trait During<T> {
    /// Puts `doing: ` before the error's text. A cancelled build needs no explanation.
    fn during(self, doing: impl Into<String>) -> Result<T, StepError>;
}

impl<T, E: Into<StepError>> During<T> for Result<T, E> {
    fn during(self, doing: impl Into<String>) -> Result<T, StepError> {
        self.map_err(|cause| match cause.into() {
            StepError::Cancelled => StepError::Cancelled,
            cause => StepError::While {
                doing: doing.into(),
                cause: Box::new(cause),
            },
        })
    }
}

/// Says which file.
pub(crate) trait At<T> {
    /// Names the path.
    fn at(self, path: impl AsRef<Path>) -> Result<T, StepError>;
}

impl<T, E: Into<std::io::Error>> At<T> for Result<T, E> {
    fn at(self, path: impl AsRef<Path>) -> Result<T, StepError> {
        self.map_err(|error| StepError::Io {
            path: path.as_ref().to_owned(),
            source: error.into(),
        })
    }
}
