//! What is wrong with a key.

use std::fmt;

/// Something that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRingProblem {
    /// The file, or `authKeys` for the configuration.
    pub place: String,
    /// Whose key it would be; empty for a file or directory that cannot be read.
    pub user: String,
    /// Line of the file or place in the user's list, from 1; 0 for all of it.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for KeyRingProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.user.as_str()) {
            (0, _) => write!(f, "{}: {}", self.place, self.what),
            (line, user) => write!(f, "{}:{line}: key of {user}: {}", self.place, self.what),
        }
    }
}
