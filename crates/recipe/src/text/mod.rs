//! Texts of fields: JSON as Go reads it, and YAML of the same structure, with the lines of what is wrong.
//!
//! A text becomes a tree of [`Node`]s; [`Place`]s are walked down it, and everything that does not fit is noted on the way, so that one
//! reading tells all. Lines are looked for only once something is wrong, by reading the text again up to that place: neither parser tells
//! them with its values.

mod locate;
mod node;
mod place;
mod record;

pub(crate) use node::Node;
pub(crate) use place::{Place, Report};
pub(crate) use record::Record;

use crate::{Checked, Problem};

/// Bytes of a text, at most. Configurations are written by people.
pub const MAXIMUM_BYTES: usize = 16 << 20;

/// How a text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON with comment lines; names match regardless of case; what follows the first value is ignored.
    #[default]
    Json,
    /// YAML; of several documents the first counts. Names match regardless of case.
    Yaml,
}

impl Format {
    /// By the ending of a path or URL: `.yaml` and `.yml`, in any case, are YAML.
    pub fn of(path: &str) -> Self {
        let path = path.to_ascii_lowercase();
        if path.ends_with(".yaml") || path.ends_with(".yml") {
            Self::Yaml
        } else {
            Self::Json
        }
    }
}

/// Reads a text whose top is a table: `read` makes a value of it, noting what is wrong.
pub(crate) fn check<T>(text: &[u8], format: Format, read: impl FnOnce(&Place<'_>) -> T) -> Checked<T> {
    if text.len() > MAXIMUM_BYTES {
        let what = format!("the text is longer than {MAXIMUM_BYTES} bytes");
        return Checked::failed(Problem::error(0, "", what));
    }
    let text = String::from_utf8_lossy(text);
    let text = match format {
        Format::Json => without_comments(&text),
        Format::Yaml => text.into_owned(),
    };
    let node = match node::parse(&text, format) {
        Ok(node) => node,
        Err((line, what)) => {
            // YAML's parser counts an end that is not there, and characters that no editor takes for ends of lines.
            let line = line.min(text.lines().count());
            return Checked::failed(Problem::error(line, "", what));
        }
    };
    let report = Report::new(&text, format);
    let top = Place::top(&node, &report);
    let value = match node {
        Node::Table(_) => Some(read(&top)),
        _ => {
            top.error(format!("a table is needed here, not {}", node.kind()));
            None
        }
    };
    Checked::of(value, report.into_problems())
}

/// Empties comment lines, those that start with `#`, `//` or `!` after white space, so that the others keep their numbers.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.trim_start();
        if content.starts_with('#') || content.starts_with("//") || content.starts_with('!') {
            kept.push_str(if line.ends_with('\n') { "\n" } else { "" });
        } else {
            kept.push_str(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
