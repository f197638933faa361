//! Public forms as text, made once when an image changes.

use crate::http::ApiVersion;
use crate::json;
use crate::manifest::{Mode, Record, View, public_form};
use openssl::sha::Sha1;
use std::ops::Range;

/// The public form of one image as it stands in a list, with everything that any view shows, and where to cut for views
/// that show less.
#[derive(Debug)]
pub struct Form {
    text: Box<str>,
    /// Which store has each file: for administrators.
    stores: Box<[Range<u32>]>,
    /// The channels: for version 2.
    channels: Option<Range<u32>>,
}

/// How deep an image stands in a list.
const LEVEL: usize = 1;
/// Where the lines of an image's own fields begin, in a list.
const FIELD: &str = "\n    ";

impl Form {
    pub(crate) fn new(record: &Record, mode: Mode) -> Self {
        let view = View {
            mode,
            version: ApiVersion::Two,
            is_admin: true,
        };
        let mut text = String::new();
        json::pretty_into(&public_form(record, &view), LEVEL, &mut text);
        Self::of_text(text.into_boxed_str())
    }

    pub(crate) fn of_text(text: Box<str>) -> Self {
        Self {
            stores: stores(&text),
            channels: channels(&text),
            text,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The parts a view shows, in order.
    fn parts(&self, version: ApiVersion, is_admin: bool) -> impl Iterator<Item = &str> {
        let stores = self.stores.iter().filter(move |_| !is_admin);
        let channels = self.channels.iter().filter(move |_| version == ApiVersion::One);
        let end = self.text.len() as u32;
        let cuts = stores.chain(channels).cloned().chain(std::iter::once(end..end));
        cuts.scan(0_u32, |from, cut| {
            let part = &self.text[*from as usize..cut.start as usize];
            *from = cut.end;
            Some(part)
        })
    }

    /// The entity tag of the image's answer alone.
    pub fn entity_tag(&self, version: ApiVersion, is_admin: bool) -> String {
        let mut hasher = Sha1::new();
        let mut is_in_text = false;
        for part in self.parts(version, is_admin) {
            compact(part, &mut is_in_text, &mut hasher);
        }
        hex::encode(hasher.finish())
    }
}

/// Appends the answer of a list.
pub fn write_list<'a>(
    forms: impl IntoIterator<Item = &'a Form>,
    version: ApiVersion,
    is_admin: bool,
    answer: &mut Vec<u8>,
) {
    let begin = answer.len();
    for form in forms {
        answer.extend_from_slice(if answer.len() == begin { b"[\n  " } else { b",\n  " });
        for part in form.parts(version, is_admin) {
            answer.extend_from_slice(part.as_bytes());
        }
    }
    let is_empty = answer.len() == begin;
    answer.extend_from_slice(if is_empty { b"[]" } else { b"\n]" });
}

/// Appends the answer of one image: two spaces less a line than in a list. Line feeds inside texts are escaped, so each one
/// here is the end of a line.
pub fn write_one(form: &Form, version: ApiVersion, is_admin: bool, answer: &mut Vec<u8>) {
    for part in form.parts(version, is_admin) {
        let mut lines = part.split("\n  ");
        answer.extend_from_slice(lines.next().unwrap_or_default().as_bytes());
        for line in lines {
            answer.push(b'\n');
            answer.extend_from_slice(line.as_bytes());
        }
    }
}

/// Feeds JSON without the space between its tokens.
fn compact(text: &str, is_in_text: &mut bool, hasher: &mut Sha1) {
    let bytes = text.as_bytes();
    let mut from = 0;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if *is_in_text => at += 1,
            b'"' => *is_in_text = !*is_in_text,
            b' ' | b'\n' if !*is_in_text => {
                hasher.update(&bytes[from..at]);
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    hasher.update(&bytes[from.min(bytes.len())..]);
}

fn range(from: usize, to: usize) -> Range<u32> {
    // Bodies have at most 16 MiB, and no form is more than a few times as long.
    from as u32..to as u32
}

/// Where `,"stor": …` stands in each entry of `files`.
fn stores(text: &str) -> Box<[Range<u32>]> {
    let begin = format!("{FIELD}\"files\": [");
    let Some(start) = text.find(&begin) else {
        return Box::default();
    };
    let end = text[start..]
        .find(&format!("{FIELD}]"))
        .map_or(start, |length| start + length);
    let begin = format!(",{FIELD}    \"stor\": ");
    let found = text[start..end].match_indices(&begin);
    found
        .map(|(at, begin)| {
            let from = start + at;
            let to = text[from + begin.len()..]
                .find('\n')
                .map_or(text.len(), |line| from + begin.len() + line);
            range(from, to)
        })
        .collect()
}

/// Where `,"channels": …` stands: at the end.
fn channels(text: &str) -> Option<Range<u32>> {
    let from = text.rfind(&format!(",{FIELD}\"channels\": "))?;
    Some(range(from, text.rfind("\n  }")?))
}
