//! Finding secret values in texts, however they are written there.

use std::borrow::Cow;

use super::{REDACTED, SHORTEST_REDACTED_BYTES};

/// Looks for a fixed set of values.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Redactor {
    /// Longest first, so that of two that begin alike the longer is found.
    values: Vec<Vec<u8>>,
    /// Whether a value may begin with a byte, as it is written or escaped.
    begins: [bool; 256],
}

impl Default for Redactor {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            begins: [false; 256],
        }
    }
}

impl Redactor {
    pub(super) fn new<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        // Texts are looked at line by line, so the lines of a value are each a secret.
        let mut values: Vec<Vec<u8>> = values
            .flat_map(|value| std::iter::once(value).chain(value.lines()))
            .filter(|value| value.len() >= SHORTEST_REDACTED_BYTES)
            .map(|value| value.as_bytes().to_vec())
            .collect();
        values.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        values.dedup();
        let mut begins = [false; 256];
        for value in &values {
            begins[usize::from(value[0])] = true;
        }
        if !values.is_empty() {
            for escape in [b'%', b'\\', b'+'] {
                begins[usize::from(escape)] = true;
            }
        }
        Self { values, begins }
    }

    pub(super) fn redact<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out: Option<Vec<u8>> = None;
        let mut at = 0;
        let mut copied = 0;
        while at < text.len() {
            let found = self.begins[usize::from(text[at])]
                .then(|| self.values.iter().find_map(|value| length_of(value, &text[at..])))
                .flatten();
            let Some(length) = found else {
                at += 1;
                continue;
            };
            let out = out.get_or_insert_with(|| Vec::with_capacity(text.len()));
            out.extend_from_slice(&text[copied..at]);
            out.extend_from_slice(REDACTED.as_bytes());
            at += length;
            copied = at;
        }
        match out {
            None => Cow::Borrowed(text),
            Some(mut out) => {
                out.extend_from_slice(&text[copied..]);
                Cow::Owned(out)
            }
        }
    }
}

/// How many bytes the value takes at the start of the text, if it is there.
fn length_of(value: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for &byte in value {
        at += written(byte, text.get(at..)?)?;
    }
    Some(at)
}

/// How many bytes one byte of a value takes at the start of the text: as it is, `%XX`, `+` for a blank, or behind a backslash.
fn written(byte: u8, text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    if first == byte {
        return Some(1);
    }
    match first {
        b'%' => {
            let digits = std::str::from_utf8(text.get(1..3)?).ok()?;
            (u8::from_str_radix(digits, 16).ok()? == byte).then_some(3)
        }
        b'+' => (byte == b' ').then_some(1),
        b'\\' => (*text.get(1)? == byte).then_some(2),
        _ => None,
    }
}
