//! The fields of an event, as they will stand in its record.

use serde::Serialize;

/// Names that a record has itself: what would replace one of these is put beside it, as `pid_`.
const OWN: [&str; 7] = ["name", "hostname", "pid", "level", "msg", "time", "v"];

/// Fields in the order in which they came, each already JSON.
#[derive(Default)]
pub(crate) struct Fields {
    text: Vec<u8>,
    parts: Vec<Part>,
}

struct Part {
    /// The object it belongs to: `req` of `req.method`.
    outer: Option<&'static str>,
    name: &'static str,
    /// Where its value ends in the text; it begins where the one before ends.
    end: usize,
}

impl Fields {
    /// One more. That of `req.method` is `method` of an object `req`.
    pub(super) fn add(&mut self, name: &'static str, value: &(impl Serialize + ?Sized)) {
        push(&mut self.text, value);
        let (outer, name) = match name.split_once('.') {
            Some((outer, inner)) => (Some(outer), inner),
            None => (None, name),
        };
        let end = self.text.len();
        self.parts.push(Part { outer, name, end });
    }

    /// Bytes of all, about.
    pub(super) fn bytes(&self) -> usize {
        let names = self.parts.iter().map(|part| part.name.len() + 4);
        self.text.len() + names.sum::<usize>()
    }

    /// Puts `,"name":value` of each behind what is there; an object stands where its first field came.
    pub(super) fn write_to(&self, target: &mut Vec<u8>) {
        for (at, part) in self.parts.iter().enumerate() {
            let Some(outer) = part.outer else {
                push_name(target, b',', part.name, OWN.contains(&part.name));
                target.extend_from_slice(self.value(at));
                continue;
            };
            let is_of_it = |other: &usize| self.parts[*other].outer == Some(outer);
            if (0..at).any(|other| is_of_it(&other)) {
                continue;
            }
            push_name(target, b',', outer, OWN.contains(&outer));
            let mut before = b'{';
            for inner in (at..self.parts.len()).filter(is_of_it) {
                push_name(target, before, self.parts[inner].name, false);
                target.extend_from_slice(self.value(inner));
                before = b',';
            }
            target.push(b'}');
        }
    }

    fn value(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.parts[before].end);
        &self.text[start..self.parts[at].end]
    }
}

fn push_name(target: &mut Vec<u8>, before: u8, name: &str, is_taken: bool) {
    target.push(before);
    if is_taken {
        push(target, &format!("{name}_"));
    } else {
        push(target, name);
    }
    target.push(b':');
}

/// Puts a value behind what is there, as JSON.
pub(super) fn push(target: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // Numbers, truths and texts always have a form, and memory takes every byte.
    let _ = serde_json::to_writer(target, value);
}
