//! The values of all flags after parsing, with typed look-up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Flag, Value};

/// Where a value came from; later ones override earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A `flags.default` or `flags.extra` file.
    File,
    /// The command line.
    CommandLine,
}

/// The value of every flag of a table, and the arguments behind the flags.
///
/// The look-ups panic when the name is not in the table or is of another kind: names are constants of the program, so
/// that is a mistake in the program which its first start shows, never something a user can cause.
#[derive(Clone, Debug)]
pub struct Values {
    pub(crate) values: BTreeMap<&'static str, (Value, Origin)>,
    pub(crate) arguments: Vec<String>,
}

macro_rules! lookup {
    ($(#[$doc:meta])* $name:ident -> $type:ty, $pattern:pat => $result:expr) => {
        $(#[$doc])*
        #[track_caller]
        pub fn $name(&self, name: &str) -> $type {
            match self.value(name) {
                $pattern => $result,
                other => panic!("flag -{name} is not of the kind asked for: {other:?}"),
            }
        }
    };
}

impl Values {
    /// The value of a flag.
    #[track_caller]
    pub fn value(&self, name: &str) -> &Value {
        match self.values.get(name) {
            Some((value, _)) => value,
            None => panic!("flag -{name} is not in the table of this program"),
        }
    }

    lookup!(/// A text or a chosen word.
        string -> &str, Value::Text(text) => text);
    lookup!(/// A boolean.
        boolean -> bool, Value::Boolean(value) => *value);
    lookup!(/// A signed integer.
        integer -> i64, Value::Integer(value) => *value);
    lookup!(/// An unsigned integer.
        unsigned -> u64, Value::Unsigned(value) => *value);
    lookup!(/// A duration.
        duration -> Duration, Value::Duration(value) => *value);
    lookup!(/// A number of bytes.
        size -> u64, Value::Size { bytes, .. } => *bytes);
    lookup!(/// The elements of a list.
        list -> &[String], Value::List(elements) => elements);

    /// A text as a path.
    #[track_caller]
    pub fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(self.string(name))
    }

    /// An unsigned integer as a TCP port.
    ///
    /// # Errors
    /// The sentence for the user when the number is larger than 65535.
    #[track_caller]
    pub fn port(&self, name: &str) -> Result<u16, String> {
        let value = self.unsigned(name);
        u16::try_from(value)
            .map_err(|_| format!("flag -{name}: {value} is not a port number (at most 65535)"))
    }

    /// Whether the table of this program has the flag.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Where the value came from.
    #[track_caller]
    pub fn origin(&self, name: &str) -> Origin {
        match self.values.get(name) {
            Some((_, origin)) => *origin,
            None => panic!("flag -{name} is not in the table of this program"),
        }
    }

    /// Whether a file or the command line set it.
    #[track_caller]
    pub fn is_set(&self, name: &str) -> bool {
        self.origin(name) != Origin::Default
    }

    /// All flags in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value, Origin)> {
        self.values
            .iter()
            .map(|(name, (value, origin))| (*name, value, *origin))
    }

    /// What stands behind the flags: the verb and its arguments.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    pub(crate) fn set(&mut self, flag: &Flag, value: Value, origin: Origin) {
        self.values.insert(flag.name, (value, origin));
    }
}
