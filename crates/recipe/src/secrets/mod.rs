//! The variables file (`imaginator.md §6.3`): values that must appear in no log, page, image or error.

mod parse;
mod redact;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::Checked;

/// What stands in the place of a secret.
pub const REDACTED: &str = "***";

/// Bytes a value must have to be looked for in texts: shorter ones would be found in half the words.
pub const SHORTEST_REDACTED_BYTES: usize = 4;

/// Variables with values nobody may see.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    values: BTreeMap<String, String>,
    redactor: redact::Redactor,
}

impl Secrets {
    /// Of names and values.
    pub fn new(values: BTreeMap<String, String>) -> Self {
        let redactor = redact::Redactor::new(values.values().map(String::as_str));
        Self { values, redactor }
    }

    /// Reads a variables file: a JSON object of texts, or lines `NAME=Value`.
    pub fn parse(text: &[u8]) -> Checked<Self> {
        parse::parse(text)
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The names, which are no secret.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text with every value of [`SHORTEST_REDACTED_BYTES`] and more replaced by [`REDACTED`], also where it is escaped as in URLs or
    /// strings of JSON, wholly or in part. Give whole lines: what is cut in two is not found.
    pub fn redact<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        self.redactor.redact(text)
    }

    /// As [`redact`](Self::redact), for texts.
    pub fn redact_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.redactor.redact(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

/// Shows the names alone.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
