//! Why a build failed, on its way to becoming a [`BuildError`].

use super::link::is_away;
use crate::order::{BuildError, NeededSource};
use crate::step_error::StepError;
use crate::{Order, Phase};

/// Text and what follows from it. Unlike the layers below it is not taken apart any more: people read it.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    needs: Option<NeededSource>,
    is_cancelled: bool,
    is_server_away: bool,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure {
            text: text.into(),
            needs: None,
            is_cancelled: false,
            is_server_away: false,
        }
    }

    pub(crate) fn cancelled() -> Failure {
        Failure {
            text: StepError::Cancelled.to_string(),
            needs: None,
            is_cancelled: true,
            is_server_away: false,
        }
    }

    /// For want of a source image.
    pub(crate) fn needs(text: String, source: NeededSource) -> Failure {
        Failure {
            text,
            needs: Some(source),
            is_cancelled: false,
            is_server_away: false,
        }
    }

    /// What went wrong.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    #[cfg(test)]
    pub(crate) fn is_server_away(&self) -> bool {
        self.is_server_away
    }

    /// What a caller is told; no secret is in it.
    pub(crate) fn told(self, order: &Order, phase: Option<Phase>) -> BuildError {
        BuildError {
            text: order.secrets.redact_text(&self.text).into_owned(),
            phase,
            needs: self.needs,
            is_cancelled: self.is_cancelled,
            is_server_away: self.is_server_away,
        }
    }
}

/// Says what was being done.
pub(crate) trait Doing<T> {
    /// Puts `doing: ` before the text, unless the build was cancelled.
    fn doing(self, doing: impl AsRef<str>) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> Doing<T> for Result<T, E> {
    fn doing(self, doing: impl AsRef<str>) -> Result<T, Failure> {
        self.map_err(|error| {
            let mut failure = error.into();
            if !failure.is_cancelled {
                failure.text = format!("{}: {}", doing.as_ref(), failure.text);
            }
            failure
        })
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Failure {
        Failure {
            text: error.to_string(),
            needs: None,
            is_cancelled: error.is_cancelled(),
            is_server_away: false,
        }
    }
}

impl From<image_client::Error> for Failure {
    fn from(error: image_client::Error) -> Failure {
        match error {
            image_client::Error::Tree(tree_io::Error::Cancelled) => Failure::cancelled(),
            error if is_away(&error) => Failure {
                is_server_away: true,
                ..Failure::new(format!("the image server is away: {error}"))
            },
            error => Failure::new(error.to_string()),
        }
    }
}

impl From<tree_io::Error> for Failure {
    fn from(error: tree_io::Error) -> Failure {
        image_client::Error::Tree(error).into()
    }
}
