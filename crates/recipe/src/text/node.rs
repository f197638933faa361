//! A text as a tree.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Format;

/// Values in a tree, at most: YAML can say many with few bytes.
const MAXIMUM_NODES: usize = 1_000_000;

/// Brackets of a text in YAML that are open at a time, at most. Its parser takes time with the square of them.
const MAXIMUM_OPEN_BRACKETS: usize = 500;

/// A value of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Whole(u64),
    /// A number that is negative or has a fraction: nothing here takes one.
    Number(f64),
    Text(String),
    List(Vec<Self>),
    /// In the order of the text; a name may occur twice.
    Table(Vec<(String, Self)>),
}

impl Node {
    /// What it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Whole(_) | Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Parses a text. The error is a line, 0 if unknown, and what is wrong.
pub(super) fn parse(text: &str, format: Format) -> Result<Node, (usize, String)> {
    let budget = Cell::new(MAXIMUM_NODES);
    let seed = Tree { budget: &budget };
    match format {
        Format::Json => {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            seed.deserialize(&mut deserializer)
                .map_err(|error| (error.line(), image::go_json::error_text(&error)))
        }
        Format::Yaml if open_brackets(text) > MAXIMUM_OPEN_BRACKETS => Err((
            0,
            format!("more than {MAXIMUM_OPEN_BRACKETS} brackets inside each other"),
        )),
        Format::Yaml => {
            let Some(document) = serde_yaml::Deserializer::from_str(text).next() else {
                return Err((0, "the text is empty".to_owned()));
            };
            seed.deserialize(document).map_err(|error| {
                let line = error.location().map_or(0, |location| location.line());
                (line, error.to_string())
            })
        }
    }
}

/// How many brackets are open at most, those in quotes and comments counted as well: texts that people write have few of those without the
/// other half.
fn open_brackets(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// Builds a node from whatever comes.
#[derive(Clone, Copy)]
struct Tree<'a> {
    budget: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let left = self.budget.get().checked_sub(1);
        let left = left.ok_or_else(|| D::Error::custom(format!("more than {MAXIMUM_NODES} values")))?;
        self.budget.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table, a list, a text, a number, true, false or null")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(u64::try_from(value).map_or(Node::Number(value as f64), Node::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut table = Vec::new();
        while let Some(name) = entries.next_key_seed(self)? {
            let name = match name {
                Node::Text(name) => name,
                Node::Whole(number) => number.to_string(),
                Node::Bool(truth) => truth.to_string(),
                other => {
                    let what = format!("{} cannot be the name of a field", other.kind());
                    return Err(A::Error::custom(what));
                }
            };
            table.push((name, entries.next_value_seed(self)?));
        }
        Ok(Node::Table(table))
    }
}
