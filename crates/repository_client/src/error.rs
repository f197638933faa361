//! What can go wrong between a client and its repository.

use repository::json::{self, Value};
use repository::signature::SignatureError;
use std::time::Duration;

use crate::AgentError;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is none.
    #[error("{0}")]
    Address(String),
    /// A setting that cannot be used, such as authorities that are no certificates.
    #[error("{0}")]
    Options(String),
    /// The repository says no.
    #[error("{0}")]
    Refused(Refusal),
    /// The repository is elsewhere.
    #[error("the repository answers {status} and points to {location}; use that address if you trust it")]
    Moved {
        /// Status of the answer.
        status: u16,
        /// Where it points.
        location: String,
    },
    /// No connection, or it broke.
    #[error("{0}")]
    Connection(String),
    /// Nothing came for too long.
    #[error("{what}: nothing for {} s", patience.as_secs())]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// How long.
        patience: Duration,
    },
    /// A job needs more time than it was given; it goes on.
    #[error("job {job} is not over after {patience:?}")]
    NotOver {
        /// Which job.
        job: String,
        /// How long was waited.
        patience: Duration,
    },
    /// The answer is none of an image repository.
    #[error("the answer is not that of an image repository: {0}")]
    Answer(String),
    /// The bytes are not those that were announced.
    #[error("the file has {what} {found}, and should have {expected}")]
    Mismatch {
        /// Which property.
        what: &'static str,
        /// As it is.
        found: String,
        /// As it was announced.
        expected: String,
    },
    /// Neither manifest nor answer says a digest.
    #[error("the repository announces no digest for the file, so it cannot be checked")]
    NoDigest,
    /// Another file took its place during the download.
    #[error("the file was replaced during the download; ask again")]
    Replaced,
    /// Something with a file of this host.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: String,
        /// What.
        source: std::io::Error,
    },
    /// The key cannot sign.
    #[error("cannot sign: {0}")]
    Signature(#[from] SignatureError),
    /// The agent does not.
    #[error("cannot sign: {0}")]
    Agent(#[from] AgentError),
    /// The job ended without success.
    #[error("job {job} {execution}: {message}")]
    Job {
        /// Which job.
        job: String,
        /// Its last state: `failed` or `canceled`.
        execution: String,
        /// What it says.
        message: String,
        /// Its code word, if it says one.
        code: Option<String>,
    },
    /// The host's OpenSSL does not compute a digest.
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] openssl::error::ErrorStack),
}

impl ClientError {
    /// What the repository says, if it is it that says no.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Status of the repository's answer, if there is one.
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// The repository's code word, such as `ResourceNotFound`.
    pub fn code(&self) -> Option<&str> {
        self.refusal().map(|refusal| refusal.code.as_str())
    }

    /// Whether the same request may go well a little later: the connection broke, nothing came, or the repository is busy.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connection(_) | Self::TimedOut { .. } | Self::NotOver { .. } => true,
            Self::Refused(refusal) => matches!(refusal.status, 502..=504),
            _ => false,
        }
    }

    /// Of the library below: what went wrong from the outside in, without the address, which may hold a password.
    pub(crate) fn of_connection(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = String::new();
        // The outermost words say only that a request failed.
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.ends_with(&said) {
                text = if text.is_empty() {
                    said
                } else {
                    format!("{text}: {said}")
                };
            }
            cause = error.source();
        }
        if text.is_empty() {
            text = error.to_string();
        }
        if error.is_connect() {
            // What is between says in other words that there is no connection; the innermost says why.
            let mut cause: &dyn std::error::Error = &error;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            text = format!("cannot connect: {cause}");
        }
        Self::Connection(text)
    }

    pub(crate) fn of_file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File {
            path: path.display().to_string(),
            source,
        }
    }
}

/// The repository's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Code word; empty if the answer has none.
    pub code: String,
    /// What it says.
    pub message: String,
    /// Fields with their problems: `field: what`.
    pub problems: Vec<String>,
    /// Name of the request in the repository's log.
    pub request_id: Option<String>,
    /// `x-received-bytes`: how much of an upload is there.
    pub received: Option<u64>,
}

impl Refusal {
    /// Of the body of an answer; what is no error of a repository is quoted, shortened.
    pub(crate) fn of_body(status: u16, body: &[u8]) -> Self {
        let parsed = json::parse(body).unwrap_or(Value::Null);
        let text = |value: &Value, key: &str| {
            let text = value.get(key).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let mut message = text(&parsed, "message");
        if message.is_empty() {
            message = shortened(&String::from_utf8_lossy(body));
        }
        let problems = parsed.get("errors").and_then(Value::as_array);
        let problems = problems.map(Vec::as_slice).unwrap_or_default().iter();
        let problems = problems.map(|problem| {
            let message = text(problem, "message");
            let what = if message.is_empty() {
                text(problem, "code")
            } else {
                message
            };
            format!("{}: {what}", text(problem, "field"))
        });
        Self {
            status,
            code: text(&parsed, "code"),
            message,
            problems: problems.collect(),
            request_id: None,
            received: None,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.message.as_str(), self.code.as_str()) {
            ("", "") => write!(f, "the repository answers {}", self.status),
            (message, "") => write!(f, "the repository answers {}: {message}", self.status),
            (message, code) => write!(f, "{message} ({code})"),
        }
    }
}

/// The first line of a page that is no error of a repository, such as a proxy's.
fn shortened(text: &str) -> String {
    /// Characters that are quoted.
    const MAXIMUM_QUOTED: usize = 200;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or_default().chars().take(MAXIMUM_QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_s_own_words_are_told_with_its_code_and_its_fields() {
        let body = br#"{"code":"ValidationFailed","message":"invalid image data: name","errors":[{"field":"name","code":"MissingParameter"},{"field":"os","code":"Invalid","message":"no"}]}"#;
        let refusal = Refusal::of_body(422, body);
        assert_eq!(refusal.to_string(), "invalid image data: name (ValidationFailed)");
        assert_eq!(refusal.problems, ["name: MissingParameter", "os: no"]);
    }

    #[test]
    fn what_a_proxy_says_is_quoted_in_short() {
        let refusal = Refusal::of_body(502, b"\n <html>Bad Gateway\n<body>");
        assert_eq!(
            refusal.to_string(),
            "the repository answers 502: <html>Bad Gateway"
        );
        assert_eq!(
            Refusal::of_body(500, b"").to_string(),
            "the repository answers 500"
        );
        assert!(ClientError::Refused(refusal).is_passing());
    }
}
