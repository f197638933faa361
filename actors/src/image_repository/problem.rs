//! What is wrong with files of the repository.

use std::fmt;

/// Problems that are kept for showing, at most; all are logged.
pub const MAXIMUM_PROBLEMS: usize = 1000;

/// A file that is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordProblem {
    /// Below the base directory.
    pub file: String,
    /// The field, if it is one, and what is wrong with it.
    pub reason: String,
}

impl fmt::Display for RecordProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is left alone: {}", self.file, self.reason)
    }
}
