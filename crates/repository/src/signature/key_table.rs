//! The keys of all users.

use crate::json::{Object, Value};
use crate::signature::PublicKey;
use std::collections::HashMap;

/// Keys of one user, at most: each is tried.
pub const MAXIMUM_KEYS_OF_USER: usize = 100;

/// A line that is no key: it is left out, the others count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProblem {
    /// Whose.
    pub user: String,
    /// Line of the file or place in the list, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// Users and their keys. A table is made anew and swapped as a whole.
#[derive(Clone, Debug, Default)]
pub struct KeyTable {
    users: HashMap<String, Vec<PublicKey>>,
    problems: Vec<KeyProblem>,
}

impl KeyTable {
    /// Adds the keys of the configuration: an object of lists, or of single keys.
    pub fn add_configured(&mut self, keys: &Object) {
        for (user, list) in keys {
            let lines = match list {
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            };
            for (index, line) in lines.iter().enumerate() {
                self.add_line(user, index + 1, line.as_str().unwrap_or_default());
            }
        }
    }

    /// Adds the keys of a file: one a line; blank lines and those that begin with `#` are skipped.
    pub fn add_file(&mut self, user: &str, text: &str) {
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                self.add_line(user, index + 1, line);
            }
        }
    }

    fn add_line(&mut self, user: &str, line: usize, text: &str) {
        let mut problem = |what: String| {
            self.problems.push(KeyProblem {
                user: user.to_owned(),
                line,
                what,
            });
        };
        let keys = self.users.entry(user.to_owned()).or_default();
        if keys.len() == MAXIMUM_KEYS_OF_USER {
            problem(format!(
                "has more than {MAXIMUM_KEYS_OF_USER} keys, this one is left out"
            ));
            return;
        }
        match PublicKey::parse(text.trim()) {
            Ok(key) => keys.push(key),
            Err(error) => problem(error.to_string()),
        }
    }

    /// The keys of a user; none for who is not known.
    pub fn keys(&self, user: &str) -> &[PublicKey] {
        self.users.get(user).map_or(&[], Vec::as_slice)
    }

    /// All users, in no order.
    pub fn users(&self) -> impl Iterator<Item = (&str, &[PublicKey])> {
        self.users
            .iter()
            .map(|(user, keys)| (user.as_str(), keys.as_slice()))
    }

    /// What was left out.
    pub fn problems(&self) -> &[KeyProblem] {
        &self.problems
    }
}
