//! Finding the stream of a name.

use std::collections::BTreeMap;
use std::sync::Arc;

use image::filter::{Expression, FilterError};

use crate::UserStream;

/// Why a name has no stream. The texts are those of the original.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// Nothing has this name, and no expression matches it.
    #[error("unknown stream: {0}")]
    Unknown(String),
    /// More than one expression matches: it is not guessed which is meant.
    #[error("multiple stream patterns match: \"{0}\"")]
    Ambiguous(String),
}

/// A stream for all names that match.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) expression: Expression,
    pub(super) stream: Arc<UserStream>,
}

/// Compiles an expression, `^` and `$` glued to its ends (so in `a|b` each end is held by one of them).
pub(super) fn compile(expression: &str) -> Result<Expression, FilterError> {
    // The empty group keeps it from being taken for one of the forms that filters have short cuts for, some of which differ.
    Expression::new(&format!("(?:){expression}$"))
}

/// The only stream whose expression matches.
pub(super) fn by_pattern(
    patterns: &BTreeMap<String, Pattern>,
    name: &str,
) -> Result<Option<Arc<UserStream>>, FindError> {
    let mut matching = patterns
        .values()
        .filter(|pattern| pattern.expression.matches(name.as_bytes()));
    let first = matching.next();
    if matching.next().is_some() {
        return Err(FindError::Ambiguous(name.to_owned()));
    }
    Ok(first.map(|pattern| pattern.stream.clone()))
}
