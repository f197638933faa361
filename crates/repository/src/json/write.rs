//! Writing JSON as JavaScript writes it.

use crate::json::Value;
use std::fmt::Write as _;

/// Without any space: what entity tags are made of.
pub fn compact(value: &Value) -> String {
    let mut text = String::new();
    write(value, None, &mut text);
    text
}

/// Indented by so many spaces a level, without a line feed at the end.
pub fn pretty(value: &Value, indent: usize) -> String {
    let mut text = String::new();
    write(
        value,
        Some(Indent {
            width: indent,
            level: 0,
        }),
        &mut text,
    );
    text
}

/// Indented by two spaces a level, as if it stood `level` levels deep; the first line is not indented.
pub fn pretty_into(value: &Value, level: usize, text: &mut String) {
    write(value, Some(Indent { width: 2, level }), text);
}

/// A text in quotes.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    write_text(text, &mut quoted);
    quoted
}

#[derive(Clone, Copy)]
struct Indent {
    width: usize,
    level: usize,
}

impl Indent {
    fn line(self, text: &mut String) {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', self.width * self.level));
    }

    fn deeper(self) -> Self {
        Self {
            level: self.level + 1,
            ..self
        }
    }
}

fn write(value: &Value, indent: Option<Indent>, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => write_number(number, text),
        Value::String(value) => write_text(value, text),
        Value::Array(list) if list.is_empty() => text.push_str("[]"),
        Value::Object(object) if object.is_empty() => text.push_str("{}"),
        Value::Array(list) => {
            text.push('[');
            let inner = indent.map(Indent::deeper);
            for (index, item) in list.iter().enumerate() {
                separate(index, inner, text);
                write(item, inner, text);
            }
            close(indent, ']', text);
        }
        Value::Object(object) => {
            text.push('{');
            let inner = indent.map(Indent::deeper);
            for (index, (key, item)) in object.iter().enumerate() {
                separate(index, inner, text);
                write_text(key, text);
                text.push_str(if indent.is_some() { ": " } else { ":" });
                write(item, inner, text);
            }
            close(indent, '}', text);
        }
    }
}

fn separate(index: usize, indent: Option<Indent>, text: &mut String) {
    if index > 0 {
        text.push(',');
    }
    if let Some(indent) = indent {
        indent.line(text);
    }
}

fn close(indent: Option<Indent>, bracket: char, text: &mut String) {
    if let Some(indent) = indent {
        indent.line(text);
    }
    text.push(bracket);
}

fn write_number(number: &serde_json::Number, text: &mut String) {
    if let Some(integer) = number.as_i64() {
        // Writing to a text cannot fail.
        let _ = write!(text, "{integer}");
    } else {
        let number = number.as_f64().unwrap_or(0.0);
        text.push_str(ryu_js::Buffer::new().format(number));
    }
}

fn write_text(value: &str, text: &mut String) {
    text.push('"');
    let mut from = 0;
    for (at, byte) in value.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..=0x1f => "",
            _ => continue,
        };
        text.push_str(&value[from..at]);
        if escape.is_empty() {
            let _ = write!(text, "\\u{byte:04x}");
        } else {
            text.push_str(escape);
        }
        from = at + 1;
    }
    text.push_str(&value[from..]);
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn indented_text_is_that_of_javascript() {
        let value = json!({"a": [1, {"b": "é\"\u{1}\u{7f}/\u{2028}"}], "c": [], "d": {}, "e": null});
        assert_eq!(
            pretty(&value, 2),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"é\\\"\\u0001\u{7f}/\u{2028}\"\n    }\n  ],\n  \"c\": [],\n  \"d\": {},\n  \"e\": null\n}"
        );
        assert_eq!(
            compact(&value),
            "{\"a\":[1,{\"b\":\"é\\\"\\u0001\u{7f}/\u{2028}\"}],\"c\":[],\"d\":{},\"e\":null}"
        );
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was(text in ".*") {
            prop_assert_eq!(crate::json::parse(quoted(&text).as_bytes()), Ok(Value::String(text)));
        }

        #[test]
        fn any_number_comes_back_as_it_was(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
            let value = super::super::parse::number_value(number);
            prop_assert_eq!(crate::json::parse(compact(&value).as_bytes()), Ok(value));
        }
    }
}
