//! The errors clients see: code word, status, body (imgapi.md §18).

mod code;
mod make;
mod sample;

pub use code::Code;
pub use sample::sample;

use crate::json::{self, Object, Value};
use std::fmt;

/// One problem of a request or manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field or parameter.
    pub field: String,
    /// `Missing`, `MissingParameter`, `Invalid`, `InvalidParameter`, `NotAllowed`.
    pub code: &'static str,
    /// What is wrong, where the code does not say it.
    pub message: Option<String>,
}

impl FieldError {
    /// With a message.
    pub fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            message: Some(message.into()),
            ..Self::bare(field, code)
        }
    }

    /// Without one.
    pub fn bare(field: impl Into<String>, code: &'static str) -> Self {
        Self {
            field: field.into(),
            code,
            message: None,
        }
    }

    /// `Invalid`, with a message.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(field, "Invalid", message)
    }
}

/// An error as it is answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    code: Code,
    /// Status and code word of an error that another repository gave and that is passed on; else those of the code.
    passed_on: Option<(u16, String)>,
    message: String,
    errors: Option<Vec<FieldError>>,
}

impl ApiError {
    /// An error without a list of fields.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            passed_on: None,
            message: message.into(),
            errors: None,
        }
    }

    /// An error with a list of fields; `ValidationFailed` and `InvalidParameter` have one.
    pub fn with_errors(code: Code, message: impl Into<String>, errors: Vec<FieldError>) -> Self {
        Self {
            errors: Some(errors),
            ..Self::new(code, message)
        }
    }

    /// What another repository answered, passed on as it is (imgapi.md §13.4).
    pub fn passed_on(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            passed_on: Some((status, code.into())),
            ..Self::new(Code::RemoteSourceError, message)
        }
    }

    /// Which error it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        self.passed_on
            .as_ref()
            .map_or(self.code.status(), |(status, _)| *status)
    }

    /// The code word of the answer.
    pub fn word(&self) -> &str {
        self.passed_on.as_ref().map_or(self.code.word(), |(_, word)| word)
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Which fields are wrong, if the error has a list of them.
    pub fn errors(&self) -> Option<&[FieldError]> {
        self.errors.as_deref()
    }

    /// The body of the answer as a value.
    pub fn to_value(&self) -> Value {
        let mut body = Object::new();
        body.insert("code".to_owned(), self.word().into());
        body.insert("message".to_owned(), self.message.as_str().into());
        if let Some(errors) = &self.errors {
            let errors = errors.iter().map(|error| {
                let mut entry = Object::new();
                entry.insert("field".to_owned(), error.field.as_str().into());
                entry.insert("code".to_owned(), error.code.into());
                if let Some(message) = &error.message {
                    entry.insert("message".to_owned(), message.as_str().into());
                }
                Value::Object(entry)
            });
            body.insert("errors".to_owned(), errors.collect());
        }
        Value::Object(body)
    }

    /// The body of the answer: JSON, indented by two.
    pub fn body(&self) -> String {
        json::pretty(&self.to_value(), 2)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Result of what answers a client.
pub type Result<T> = std::result::Result<T, ApiError>;
