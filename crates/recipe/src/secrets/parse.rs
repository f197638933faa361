//! Reading the variables file: either a JSON object of texts, which the first byte that is no comment tells, or lines `NAME=Value`.

use std::collections::BTreeMap;

use super::{SHORTEST_REDACTED_BYTES, Secrets};
use crate::text::{self, Format, MAXIMUM_BYTES, Place};
use crate::{Checked, Problem};

pub(super) fn parse(text: &[u8]) -> Checked<Secrets> {
    if text.len() > MAXIMUM_BYTES {
        let what = format!("the text is longer than {MAXIMUM_BYTES} bytes");
        return Checked::failed(Problem::error(0, "", what));
    }
    if is_json(text) {
        text::check(text, Format::Json, |top| {
            for (name, place) in top.entries() {
                let value = place.text();
                if let Some(what) = too_short(name, &value) {
                    place.warning(what);
                }
            }
            Secrets::new(Place::text_table(top))
        })
    } else {
        lines(text)
    }
}

fn is_json(text: &[u8]) -> bool {
    let content = text
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii_start)
        .find(|line| {
            !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"//") && !line.starts_with(b"!")
        });
    content.is_some_and(|line| line.starts_with(b"{"))
}

fn lines(text: &[u8]) -> Checked<Secrets> {
    let mut values = BTreeMap::new();
    let mut problems = Vec::new();
    let text = String::from_utf8_lossy(text);
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let content = line.trim_start();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        // What stands in a line is not told: it may be a value.
        let Some((name, value)) = content.split_once('=') else {
            problems.push(Problem::error(number, "", "the line has no =: write NAME=Value"));
            continue;
        };
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            problems.push(Problem::error(
                number,
                "",
                "there is no name in front of the =: write NAME=Value",
            ));
            continue;
        }
        if let Some(what) = too_short(name, value) {
            problems.push(Problem::warning(number, name, what));
        }
        if values.insert(name.to_owned(), value.to_owned()).is_some() {
            problems.push(Problem::warning(
                number,
                name,
                "the name stands above as well; this line counts",
            ));
        }
    }
    Checked::of(Some(Secrets::new(values)), problems)
}

/// A value that cannot be kept out of texts.
fn too_short(name: &str, value: &str) -> Option<String> {
    let is_short = !value.is_empty() && value.len() < SHORTEST_REDACTED_BYTES;
    is_short.then(|| {
        format!(
            "the value of {name} has less than {SHORTEST_REDACTED_BYTES} bytes: it is not looked for in logs and pages"
        )
    })
}
