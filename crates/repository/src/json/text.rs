//! Values as JavaScript takes them where it wants a text, a truth or a number.

use crate::json::{Value, compact};

/// What `String(value)` gives; messages hold such texts.
pub fn to_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let parts: Vec<String> = list
                .iter()
                .map(|item| {
                    if item.is_null() {
                        String::new()
                    } else {
                        to_text(item)
                    }
                })
                .collect();
            parts.join(",")
        }
        Value::Object(_) => "[object Object]".to_owned(),
        other => compact(other),
    }
}

/// Whether it counts as true.
pub fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// A boolean or the text of one.
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) if text == "false" => Some(false),
        _ => None,
    }
}

/// What `Number(value)` gives; `None` for what is not a number.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(0.0),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => number_of_text(text),
        Value::Array(_) | Value::Object(_) => number_of_text(&to_text(value)),
    }
}

fn number_of_text(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() {
        return Some(0.0);
    }
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok().map(|number| number as f64);
    }
    match text.trim_start_matches(['+', '-']) {
        "Infinity" => {
            return Some(if text.starts_with('-') {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            });
        }
        // What Rust reads and JavaScript does not.
        rest if rest.starts_with(|c: char| c.is_ascii_alphabetic()) => return None,
        _ => {}
    }
    text.parse().ok()
}

/// Length of a text as JavaScript counts: units of UTF-16.
pub fn utf16_length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_in_messages_are_those_of_javascript() {
        let cases = [
            (json!("x"), "x"),
            (json!(1.5), "1.5"),
            (json!(null), "null"),
            (json!([1, null, ["a"]]), "1,,a"),
            (json!({"a": 1}), "[object Object]"),
        ];
        for (value, text) in cases {
            assert_eq!(to_text(&value), text);
        }
    }

    #[test]
    fn numbers_are_those_of_javascript() {
        let cases = [
            ("", Some(0.0)),
            (" 12 ", Some(12.0)),
            ("0x10", Some(16.0)),
            ("1e3", Some(1000.0)),
            ("Infinity", Some(f64::INFINITY)),
            ("inf", None),
            ("nan", None),
            ("1 2", None),
        ];
        for (text, number) in cases {
            assert_eq!(number_of_text(text), number, "{text:?}");
        }
    }
}
