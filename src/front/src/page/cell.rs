//! What stands in a table: one value with its forms for people, scripts, JSON and CSV.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::format::{escape, hash, size, time};

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    pub(super) heading: String,
    pub(super) numeric: bool,
}

impl Column {
    /// A column aligned to the left.
    pub fn text(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            numeric: false,
        }
    }

    /// A column aligned to the right.
    pub fn number(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            numeric: true,
        }
    }
}

/// A value in a table.
#[derive(Clone, Debug)]
pub struct Cell {
    html: String,
    text: String,
    json: Json,
    /// What sorting compares, when that is not the text.
    order: Option<String>,
}

impl Cell {
    fn plain(text: String, json: Json) -> Self {
        Self {
            html: escape(&text),
            text,
            json,
            order: None,
        }
    }

    /// Nothing.
    pub fn empty() -> Self {
        Self::plain(String::new(), Json::Null)
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        let json = Json::from(text.as_str());
        Self::plain(text, json)
    }

    /// A word that is not broken where there is room for it: a name of a fixed set, a UUID.
    pub fn word(text: impl Into<String>) -> Self {
        let mut cell = Self::text(text);
        if !cell.html.is_empty() {
            cell.html = format!("<span class=\"word\">{}</span>", cell.html);
        }
        cell
    }

    /// A text that leads somewhere; `href` is a path on this host, already percent-encoded where needed.
    pub fn link(href: impl AsRef<str>, text: impl Into<String>) -> Self {
        let mut cell = Self::text(text);
        cell.html = format!("<a href=\"{}\">{}</a>", escape(href.as_ref()), cell.html);
        cell
    }

    /// A count.
    pub fn count(count: u64) -> Self {
        Self::plain(count.to_string(), json!(count))
    }

    /// A number that need not be whole; nothing for what is no number.
    pub fn number(number: f64) -> Self {
        if !number.is_finite() {
            return Self::empty();
        }
        Self::plain(number.to_string(), json!(number))
    }

    /// A number of bytes.
    pub fn bytes(bytes: u64) -> Self {
        Self {
            html: size(bytes),
            text: bytes.to_string(),
            json: json!(bytes),
            order: Some(bytes.to_string()),
        }
    }

    /// A point in time, or nothing.
    pub fn time(at: Option<Timestamp>) -> Self {
        let Some(at) = at else { return Self::empty() };
        let exact = at.to_string();
        Self {
            html: time(at),
            text: exact.clone(),
            json: json!(exact),
            order: Some(at.as_second().to_string()),
        }
    }

    /// A span of time; seconds for machines.
    pub fn duration(duration: Duration) -> Self {
        let seconds = duration.as_secs_f64();
        let mut cell = Self::plain(human::duration(duration), json!(seconds));
        cell.text = seconds.to_string();
        cell.order = Some(seconds.to_string());
        cell
    }

    /// A hash, shortened for people.
    pub fn hash(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            html: hash(&text),
            json: json!(text),
            text,
            order: None,
        }
    }

    /// HTML made by the caller, with its plain form.
    pub fn html(html: impl Into<String>, text: impl Into<String>) -> Self {
        let mut cell = Self::text(text);
        cell.html = html.into();
        cell
    }

    /// What sorting compares instead of the text: a number, or a text of its own.
    pub fn ordered_by(mut self, order: impl ToString) -> Self {
        self.order = Some(order.to_string());
        self
    }

    pub(super) fn as_html(&self) -> &str {
        &self.html
    }

    pub(super) fn as_text(&self) -> &str {
        &self.text
    }

    pub(super) fn as_json(&self) -> &Json {
        &self.json
    }

    pub(super) fn order(&self) -> Option<&str> {
        self.order.as_deref()
    }
}
