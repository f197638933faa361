//! A place in a tree, and notes about what is wrong there.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Format, Node, Record, locate};
use crate::{Problem, Severity};

/// Problems told of one text, at most; of more it is only said how many.
const MAXIMUM_PROBLEMS: usize = 200;

/// What is wrong with a text.
pub(crate) struct Report<'a> {
    text: &'a str,
    format: Format,
    notes: RefCell<Vec<Note>>,
}

struct Note {
    severity: Severity,
    path: Vec<usize>,
    field: String,
    what: String,
}

impl<'a> Report<'a> {
    pub(super) fn new(text: &'a str, format: Format) -> Self {
        Self {
            text,
            format,
            notes: RefCell::default(),
        }
    }

    fn line(&self, path: &[usize]) -> usize {
        locate::line(self.text, self.format, path).min(self.text.lines().count())
    }

    /// The problems, with their lines.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut notes = self.notes.take();
        // Errors first: none of them may be among those that are only counted.
        notes.sort_by_key(|note| note.severity);
        let more = notes.len().saturating_sub(MAXIMUM_PROBLEMS);
        notes.truncate(MAXIMUM_PROBLEMS);
        let mut problems: Vec<Problem> = notes
            .into_iter()
            .map(|note| Problem {
                severity: note.severity,
                line: self.line(&note.path),
                field: note.field,
                what: note.what,
            })
            .collect();
        problems.sort_by_key(|problem| problem.line);
        if more > 0 {
            problems.push(Problem::warning(0, "", format!("and {more} more problems")));
        }
        problems
    }
}

/// A value, where it stands, and where to note what is wrong with it.
#[derive(Clone)]
pub(crate) struct Place<'a> {
    pub(super) node: &'a Node,
    /// Positions in the lists and tables above.
    pub(super) path: Vec<usize>,
    /// The same for people.
    pub(super) field: String,
    pub(super) report: &'a Report<'a>,
}

impl<'a> Place<'a> {
    pub(super) fn top(node: &'a Node, report: &'a Report<'a>) -> Self {
        Self {
            node,
            path: Vec::new(),
            field: String::new(),
            report,
        }
    }

    /// The value itself.
    pub(crate) fn node(&self) -> &'a Node {
        self.node
    }

    /// The line it is in, from 1; for a field of a table that of its name.
    pub(crate) fn line(&self) -> usize {
        self.report.line(&self.path)
    }

    /// Notes that the text cannot be used.
    pub(crate) fn error(&self, what: impl Into<String>) {
        self.note(Severity::Error, what.into());
    }

    /// Notes something that somebody should look at.
    pub(crate) fn warning(&self, what: impl Into<String>) {
        self.note(Severity::Warning, what.into());
    }

    fn note(&self, severity: Severity, what: String) {
        self.report.notes.borrow_mut().push(Note {
            severity,
            path: self.path.clone(),
            field: self.field.clone(),
            what,
        });
    }

    fn needs<T: Default>(&self, what: &str) -> T {
        let hint = match self.node {
            Node::Whole(_) | Node::Number(_) | Node::Bool(_) if what == "a text" => ": put it in quotes",
            _ => "",
        };
        self.error(format!("{what} is needed here, not {}{hint}", self.node.kind()));
        T::default()
    }

    /// A text; nothing is the empty text.
    pub(crate) fn text(&self) -> String {
        match self.node {
            Node::Text(text) => text.clone(),
            Node::Null => String::new(),
            _ => self.needs("a text"),
        }
    }

    /// A number from 0; nothing is 0.
    pub(crate) fn whole(&self) -> u64 {
        match self.node {
            Node::Whole(number) => *number,
            Node::Null => 0,
            _ => self.needs("a whole number from 0"),
        }
    }

    /// The elements of a list; nothing is the empty list.
    pub(crate) fn list(&self) -> Vec<Self> {
        match self.node {
            Node::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.below(index, item, format!("[{index}]")))
                .collect(),
            Node::Null => Vec::new(),
            _ => self.needs("a list"),
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.list().iter().map(Self::text).collect()
    }

    /// Names and values of a table; nothing is the empty table. Of a name that occurs twice the last counts, and somebody is told.
    pub(crate) fn entries(&self) -> Vec<(&'a str, Self)> {
        let Node::Table(entries) = self.node else {
            return match self.node {
                Node::Null => Vec::new(),
                _ => self.needs("a table"),
            };
        };
        let last: BTreeMap<&str, usize> = entries
            .iter()
            .enumerate()
            .map(|(index, (name, _))| (name.as_str(), index))
            .collect();
        let mut kept = Vec::with_capacity(last.len());
        for (index, (name, value)) in entries.iter().enumerate() {
            let place = self.below(index, value, self.step(name));
            if last.get(name.as_str()) == Some(&index) {
                kept.push((name.as_str(), place));
            } else {
                place.warning("the name occurs again below, and only the last counts");
            }
        }
        kept
    }

    /// A table of texts.
    pub(crate) fn text_table(&self) -> BTreeMap<String, String> {
        self.entries()
            .into_iter()
            .map(|(name, place)| (name.to_owned(), place.text()))
            .collect()
    }

    /// A table with these fields; others are told as unknown and ignored.
    pub(crate) fn record(&self, fields: &'static [&'static str]) -> Record<'a> {
        Record::new(self.entries(), fields)
    }

    fn below(&self, index: usize, node: &'a Node, step: String) -> Self {
        let mut path = self.path.clone();
        path.push(index);
        Self {
            node,
            path,
            field: format!("{}{step}", self.field),
            report: self.report,
        }
    }

    /// How a name is appended to a field: in quotes unless it is a plain word.
    fn step(&self, name: &str) -> String {
        let dot = if self.field.is_empty() { "" } else { "." };
        let is_plain = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_plain {
            format!("{dot}{name}")
        } else {
            format!("{dot}{name:?}")
        }
    }
}
