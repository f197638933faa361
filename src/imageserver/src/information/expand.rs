//! Nodes and an image to text.

use super::{Escape, Expression, Node};
use serde_json::Value;

/// Appends the expansion of `nodes` to `out`.
pub(super) fn expand(nodes: &[Node], name: &str, metadata: &Value, out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Print(expression) => out.push_str(&print(expression, name, metadata)),
            Node::If {
                condition,
                then,
                otherwise,
            } => {
                let holds = look_up(&condition.path, name, metadata).is_some_and(|value| is_true(&value));
                expand(if holds { then } else { otherwise }, name, metadata, out);
            }
        }
    }
}

fn print(expression: &Expression, name: &str, metadata: &Value) -> String {
    let text = look_up(&expression.path, name, metadata)
        .map(|value| plain(&value))
        .unwrap_or_default();
    match expression.escape {
        Escape::None => text,
        Escape::Html => escape_html(&text),
        Escape::UrlQuery => escape_query(&text),
    }
}

/// The value at `path`; `Name` stands beside the image's own fields.
fn look_up(path: &[String], name: &str, metadata: &Value) -> Option<Value> {
    if let [first] = path
        && first == "Name"
    {
        return Some(Value::String(name.to_owned()));
    }
    path.iter()
        .try_fold(metadata, |value, key| value.get(key))
        .cloned()
}

/// Go's idea of a value that is not empty.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// As Go prints such a value: lists in brackets with spaces, maps as `map[key:value]`.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{key}:{}", plain(value)))
                .collect();
            format!("map[{}]", entries.join(" "))
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn escape_query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
