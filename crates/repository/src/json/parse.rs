//! Reading hostile JSON: bounded in values and depth, in JavaScript's order of keys.

use crate::json::{Object, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use std::cell::Cell;
use std::fmt;

/// Values in one text, at most: one value costs some 80 bytes of memory and may take two bytes of text.
pub const MAXIMUM_VALUES: usize = 200_000;

/// Greatest integer up to which every integer is a double of its own.
const MAXIMUM_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Reads a text that is one JSON value.
///
/// # Errors
/// The message a JavaScript engine would give, as near as may be; also for a text with more than [`MAXIMUM_VALUES`]
/// values or nested deeper than 127.
pub fn parse(text: &[u8]) -> Result<Value, String> {
    let left = Cell::new(MAXIMUM_VALUES);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Seed { left: &left }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| describe(&error, text, left.get() == 0))
}

/// An `application/x-www-form-urlencoded` body: an object of texts; a repeated key becomes a list.
pub fn parse_form(text: &[u8]) -> Value {
    let mut object = Object::new();
    for (key, value) in form_urlencoded::parse(text).take(MAXIMUM_VALUES) {
        let value = Value::String(value.into_owned());
        match object.get_mut(key.as_ref()) {
            None => {
                object.insert(key.into_owned(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Value::Object(in_order(object))
}

fn describe(error: &serde_json::Error, text: &[u8], is_too_long: bool) -> String {
    if is_too_long {
        return format!("more than {MAXIMUM_VALUES} values");
    }
    if error.is_eof() {
        return "Unexpected end of JSON input".to_owned();
    }
    let before: usize = text
        .split_inclusive(|&byte| byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    let position = before + error.column().saturating_sub(1);
    let rest = String::from_utf8_lossy(
        text.get(position..(position + 4).min(text.len()))
            .unwrap_or_default(),
    );
    match rest.chars().next() {
        Some(token) => format!("Unexpected token {token} in JSON at position {position}"),
        None => "Unexpected end of JSON input".to_owned(),
    }
}

/// Puts keys that are array indices first, ascending, as JavaScript's objects do.
fn in_order(object: Object) -> Object {
    if !object.keys().any(|key| array_index(key).is_some()) {
        return object;
    }
    let mut indices = Vec::new();
    let mut names = Vec::new();
    for (key, value) in object {
        match array_index(&key) {
            Some(index) => indices.push((index, key, value)),
            None => names.push((key, value)),
        }
    }
    indices.sort_by_key(|(index, ..)| *index);
    let indices = indices.into_iter().map(|(_, key, value)| (key, value));
    indices.chain(names).collect()
}

/// The index a key is, if it is written as one: no sign, no leading zero, below 2³² - 1.
fn array_index(key: &str) -> Option<u32> {
    if key.len() > 10 || (key.len() > 1 && key.starts_with('0')) || !key.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    key.parse().ok().filter(|&index| index != u32::MAX)
}

/// A double as a value: an integer where it is one, so that it is written without a point.
pub(crate) fn number_value(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= MAXIMUM_SAFE_INTEGER {
        // The check above makes the conversion exact.
        return Value::Number(Number::from(number as i64));
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    left: &'a Cell<usize>,
}

impl Seed<'_> {
    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1).filter(|&left| left > 0);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| E::custom("too many values"))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(number_value(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(number_value(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(number_value(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut object = Object::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(self)?;
            object.insert(key, value);
        }
        Ok(Value::Object(in_order(object)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::compact;

    #[test]
    fn keys_and_numbers_are_as_javascript_has_them() {
        let text = br#"{"b":1.0,"10":1e21,"a":-0.0,"2":0.1,"01":12345678901234567890,"b":1e3,"x":[1E2,-5]}"#;
        let value = parse(text).unwrap();
        assert_eq!(
            compact(&value),
            r#"{"2":0.1,"10":1e+21,"b":1000,"a":0,"01":12345678901234567000,"x":[100,-5]}"#
        );
    }

    #[test]
    fn bad_text_is_told_as_the_original_tells_it() {
        let cases: [(&[u8], &str); 4] = [
            (b"{bad", "Unexpected token b in JSON at position 1"),
            (b"{\"a\":", "Unexpected end of JSON input"),
            (b"", "Unexpected end of JSON input"),
            (b"{}\n x", "Unexpected token x in JSON at position 4"),
        ];
        for (text, message) in cases {
            assert_eq!(parse(text), Err(message.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn a_text_of_many_values_or_great_depth_is_refused() {
        let many = format!("[{}1]", "1,".repeat(MAXIMUM_VALUES));
        assert_eq!(parse(many.as_bytes()), Err("more than 200000 values".to_owned()));
        assert!(parse("[".repeat(1_000_000).as_bytes()).is_err());
    }

    #[test]
    fn a_form_is_an_object_of_texts() {
        assert_eq!(
            compact(&parse_form(b"a=1&b=x+y%21&a=2&a=3&c")),
            r#"{"a":["1","2","3"],"b":"x y!","c":""}"#
        );
    }
}
