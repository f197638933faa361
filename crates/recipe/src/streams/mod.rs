//! The image streams file (`imaginator.md §5`).

mod find;
mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use find::FindError;

use crate::text::Format;
use crate::{Checked, Reading, UserStream};

/// The user streams: those with a name, and those for all names that match an expression.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    streams: BTreeMap<String, Arc<UserStream>>,
    patterns: BTreeMap<String, find::Pattern>,
}

impl Streams {
    /// Reads an image streams file.
    pub fn parse(text: &[u8], reading: &Reading<'_>) -> Checked<Self> {
        read::parse(text, reading)
    }

    /// The stream with a name: the exact one, else the only one whose expression matches. `None` if there is none.
    ///
    /// # Errors
    /// Several expressions match.
    pub fn find(&self, name: &str) -> Result<Option<Arc<UserStream>>, FindError> {
        if let Some(stream) = self.streams.get(name) {
            return Ok(Some(stream.clone()));
        }
        find::by_pattern(&self.patterns, name)
    }

    /// Streams with a name, in the order of names. Those of expressions are in no list (`imaginator.md §5`).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<UserStream>)> {
        self.streams.iter().map(|(name, stream)| (name.as_str(), stream))
    }

    /// Expressions and their streams, in the order of expressions, as the file has them after `$ARCH` was expanded.
    pub fn patterns(&self) -> impl Iterator<Item = (&str, &Arc<UserStream>)> {
        self.patterns
            .iter()
            .map(|(expression, pattern)| (expression.as_str(), &pattern.stream))
    }

    /// How many streams have a name.
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether there is neither a stream nor an expression.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.patterns.is_empty()
    }
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self {
            format: Format::Json,
            architecture: crate::architecture(),
            secrets: None,
            open: &|url| Err(format!("nothing can be read from {url} here")),
        }
    }
}

#[cfg(test)]
mod tests;
