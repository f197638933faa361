//! A table of known fields.

use super::Place;

/// The fields that are there, by their proper names.
pub(crate) struct Record<'a> {
    fields: Vec<(&'static str, Place<'a>)>,
}

impl<'a> Record<'a> {
    /// Names match regardless of case, an exact one first; of several spellings the last counts, as in Go.
    pub(super) fn new(entries: Vec<(&'a str, Place<'a>)>, known: &'static [&'static str]) -> Self {
        let mut fields: Vec<(&'static str, Place<'a>)> = Vec::new();
        for (name, place) in entries {
            let field = known
                .iter()
                .find(|field| **field == name)
                .or_else(|| known.iter().find(|field| field.eq_ignore_ascii_case(name)));
            let Some(field) = field else {
                place.warning(unknown(name, known));
                continue;
            };
            match fields.iter_mut().find(|other| other.0 == *field) {
                Some(other) => {
                    other
                        .1
                        .warning(format!("{field} occurs again below, and only the last counts"));
                    other.1 = place;
                }
                None => fields.push((field, place)),
            }
        }
        Self { fields }
    }

    /// A field, if it is there.
    pub(crate) fn get(&self, field: &str) -> Option<&Place<'a>> {
        let found = self.fields.iter().find(|known| known.0 == field);
        found.map(|known| &known.1)
    }

    /// The text of a field; empty without it.
    pub(crate) fn text(&self, field: &str) -> String {
        self.get(field).map(Place::text).unwrap_or_default()
    }

    /// The texts of a field; none without it.
    pub(crate) fn texts(&self, field: &str) -> Vec<String> {
        self.get(field).map(Place::texts).unwrap_or_default()
    }
}

/// Says so, and which field is probably meant: one that differs in a letter or two.
fn unknown(name: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|field| {
            (
                distance(&name.to_ascii_lowercase(), &field.to_ascii_lowercase()),
                field,
            )
        })
        .min()
        .filter(|(distance, field)| *distance <= 2 && field.len() > 3);
    match near {
        Some((_, field)) => format!("there is no such field, and it is ignored: is {field} meant?"),
        None => "there is no such field, and it is ignored".to_owned(),
    }
}

/// Letters to be changed, put in or left out to make one word of the other; long words count as far apart.
fn distance(left: &str, right: &str) -> usize {
    const LONGEST: usize = 64;
    if left.len() > LONGEST || right.len() > LONGEST {
        return LONGEST;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.bytes().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, other) in right.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
