//! The variables file (`imaginator.md §6.3`): values that must appear in no log, page, image or error.

use std::collections::BTreeMap;
use std::fmt;

/// Variables with values nobody may see.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    values: BTreeMap<String, String>,
}

impl Secrets {
    /// Of names and values.
    pub fn new(values: BTreeMap<String, String>) -> Self {
        Self { values }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The names, which are no secret.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
