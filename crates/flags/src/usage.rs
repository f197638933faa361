//! The full list of flags as Go's flag package prints it.

use crate::{Flag, Kind, Prominence, Table};

impl Table {
    /// `Usage of PROGRAM:` and every flag.
    pub fn usage(&self) -> String {
        format!("Usage of {}:\n{}", self.program, self.flag_list())
    }

    /// Every flag in order of its name.
    pub(crate) fn flag_list(&self) -> String {
        let mut flags: Vec<&Flag> = self
            .flags
            .iter()
            .filter(|flag| flag.prominence != Prominence::Hidden)
            .collect();
        flags.sort_by_key(|flag| flag.name);
        flags.into_iter().map(flag_lines).collect()
    }
}

/// The two lines of a flag.
pub(crate) fn flag_lines(flag: &Flag) -> String {
    let mut text = format!("  -{}", flag.name);
    let word = flag.kind.word();
    if !word.is_empty() {
        text.push(' ');
        text.push_str(word);
    }
    text.push_str("\n    \t");
    text.push_str(flag.help);
    text.push_str(&default_text(flag));
    text.push('\n');
    text
}

/// ` (default X)`, or nothing for a value that is zero anyway.
fn default_text(flag: &Flag) -> String {
    let default = flag.default.as_str();
    let is_zero = match flag.kind {
        Kind::Boolean => default == "false",
        Kind::Duration => matches!(default, "" | "0" | "0s"),
        Kind::Integer | Kind::Unsigned | Kind::Size => matches!(default, "" | "0" | "0B"),
        Kind::Text | Kind::List | Kind::Choice(_) => default.is_empty(),
    };
    match flag.kind {
        _ if is_zero => String::new(),
        Kind::Text => format!(" (default {default:?})"),
        _ => format!(" (default {default})"),
    }
}
