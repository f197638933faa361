//! Why a job is not to be had, and why one failed.

use crate::handle::CallError;
use repository::json::{Object, Value};
use repository::{ApiError, Uuid};

/// Letters that are kept of a failure's message: what another repository says may be long, and a job's file is read up to a bound.
const MESSAGE_LETTERS: usize = 4096;
/// Letters that are kept of its code.
const CODE_LETTERS: usize = 256;

/// Why a request about jobs is not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobsError {
    /// Too many jobs are waiting.
    #[error("{waiting} jobs are waiting already; try again when some of them are done")]
    Full {
        /// How many.
        waiting: usize,
    },
    /// One that does the same is waiting or at work: imgapi.md §15, `target`.
    #[error("job {0} does the same already; wait for it")]
    Same(Uuid),
    /// There is no such job, or it is so long over that it was forgotten.
    #[error("there is no job {0}")]
    Unknown(Uuid),
    /// It cannot be kept on disk, so it is not taken.
    #[error("cannot keep the job: {0}")]
    Storage(String),
    /// The jobs cannot be asked.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Why a job failed, as its clients read it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct JobFailure {
    /// A word for programs, such as `RemoteSourceError`.
    pub code: Option<String>,
    /// A sentence for people.
    pub message: String,
    /// Whether another try is of no use: the step is not tried again.
    pub is_final: bool,
}

impl JobFailure {
    /// With a sentence only.
    pub fn new(message: impl Into<String>) -> JobFailure {
        JobFailure {
            code: None,
            message: message.into(),
            is_final: false,
        }
    }

    /// With a word for programs, too.
    pub fn with_code(code: impl Into<String>, message: impl Into<String>) -> JobFailure {
        JobFailure {
            code: Some(code.into()),
            ..JobFailure::new(message)
        }
    }

    /// The same, and another try is of no use.
    #[must_use]
    pub fn finally(self) -> JobFailure {
        JobFailure {
            is_final: true,
            ..self
        }
    }

    /// The `error` of a step.
    pub(super) fn to_value(&self) -> Value {
        let kept = |text: &str, letters| text.chars().take(letters).collect::<String>();
        let mut error = Object::new();
        if let Some(code) = &self.code {
            error.insert("code".to_owned(), kept(code, CODE_LETTERS).into());
        }
        error.insert("message".to_owned(), kept(&self.message, MESSAGE_LETTERS).into());
        Value::Object(error)
    }
}

impl From<ApiError> for JobFailure {
    fn from(error: ApiError) -> JobFailure {
        // A job has one sentence where an answer has a list of fields.
        let fields = error.errors().unwrap_or_default().iter();
        let details: Vec<&str> = fields.filter_map(|field| field.message.as_deref()).collect();
        let message = match details.as_slice() {
            [] => error.message().to_owned(),
            details => format!("{} ({})", error.message(), details.join("; ")),
        };
        JobFailure::with_code(error.word(), message)
    }
}

impl From<CallError> for JobFailure {
    fn from(error: CallError) -> JobFailure {
        JobFailure::new(error.to_string())
    }
}
