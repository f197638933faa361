//! What is wrong with a text, and where.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The text is not used.
    Error,
    /// The text is used; somebody should look at this.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Line of the text, from 1; 0 if there is no place to point at.
    pub line: usize,
    /// Path of the field, as in `BootstrapStreams."debian/12".PackagerType`; empty for the text as a whole.
    pub field: String,
    /// What is wrong and what to do, in lower case. No secret is in it.
    pub what: String,
}

impl Problem {
    /// An error at a line and field.
    pub fn error(line: usize, field: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            line,
            field: field.into(),
            what: what.into(),
        }
    }

    /// A warning at a line and field.
    pub fn warning(line: usize, field: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(line, field, what)
        }
    }

    /// Whether the text is not used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// `line 3: PackagerTypes.deb: warning: …`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(&self.what)
    }
}

/// Everything that makes a text useless, in the order of its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    fn text(&self) -> String {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        lines.join("; ")
    }
}

/// What came of reading a text: a value, unless a problem is an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked<T> {
    /// What the text says; nothing if there was an error.
    pub value: Option<T>,
    /// Errors and warnings in the order of their lines.
    pub problems: Vec<Problem>,
}

impl<T> Checked<T> {
    /// Of a value, which is dropped if one of the problems is an error.
    pub(crate) fn of(value: Option<T>, problems: Vec<Problem>) -> Self {
        let is_good = !problems.iter().any(Problem::is_error);
        Self {
            value: value.filter(|_| is_good),
            problems,
        }
    }

    /// Of a text that cannot be read at all.
    pub fn failed(problem: Problem) -> Self {
        Self {
            value: None,
            problems: vec![problem],
        }
    }

    /// The value, or the errors. Warnings are dropped.
    ///
    /// # Errors
    /// There was an error.
    pub fn into_result(self) -> Result<T, Problems> {
        self.value
            .ok_or_else(|| Problems(self.problems.into_iter().filter(Problem::is_error).collect()))
    }
}
