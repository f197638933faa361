//! Writing JSON byte for byte as Go's encoder does.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// The JSON text of `value` as Go's `json.Marshal` writes it: compact, `<`, `>`, `&`, U+2028 and U+2029 escaped. No line end.
///
/// # Errors
/// The type cannot be JSON, for example a map whose keys are no strings.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Ok(out)
}

pub(crate) fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    value.serialize(&mut Serializer::with_formatter(out, GoFormatter))
}

struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (plain, from) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut characters = from.chars();
            if let Some(character) = characters.next() {
                write!(writer, "\\u{:04x}", u32::from(character))?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_f64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        write_float(
            writer,
            value.abs(),
            &value,
            &format_args!("{value:e}"),
            (1e-6, 1e21),
        )
    }

    fn write_f32<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        // The bounds as 32-bit numbers, as Go compares them.
        let bounds = (f64::from(1e-6_f32), f64::from(1e21_f32));
        write_float(
            writer,
            f64::from(value.abs()),
            &value,
            &format_args!("{value:e}"),
            bounds,
        )
    }
}

/// Go writes the shortest digits, with an exponent only for very small and very large numbers, and `+` before a positive one.
fn write_float<W: io::Write + ?Sized>(
    writer: &mut W,
    magnitude: f64,
    plain: &dyn std::fmt::Display,
    exponential: &dyn std::fmt::Display,
    (small, large): (f64, f64),
) -> io::Result<()> {
    if magnitude == 0.0 || (magnitude >= small && magnitude < large) {
        return write!(writer, "{plain}");
    }
    let text = exponential.to_string();
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => write!(writer, "{digits}e+{exponent}"),
        _ => writer.write_all(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::to_vec;

    fn text<T: serde::Serialize>(value: T) -> String {
        String::from_utf8(to_vec(&value).unwrap()).unwrap()
    }

    #[test]
    fn strings_are_escaped_as_go_does() {
        assert_eq!(
            text("a<b>&c\u{2028}\u{2029}é\"\\/"),
            r#""a\u003cb\u003e\u0026c\u2028\u2029é\"\\/""#
        );
        assert_eq!(
            text("\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}"),
            "\"\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}\""
        );
    }

    #[test]
    fn numbers_are_written_as_go_does() {
        assert_eq!(
            text([0.0, 1.0, -1.5, 1e20, 1e21, 1e-6, 1.5e-7, f64::MAX]),
            "[0,1,-1.5,100000000000000000000,1e+21,0.000001,1.5e-7,1.7976931348623157e+308]"
        );
        assert_eq!(text([1.0f32, 0.1, 3.4e38]), "[1,0.1,3.4e+38]");
    }

    #[test]
    fn keys_are_escaped_too() {
        assert_eq!(
            text(std::collections::BTreeMap::from([("<k>", 1)])),
            r#"{"\u003ck\u003e":1}"#
        );
    }
}
