//! Reading the table of packagers (`imaginator.md §9.1`).

use std::collections::BTreeMap;

use super::{Reading, checks};
use crate::text::Place;
use crate::{Packager, expand};

const FIELDS: &[&str] = &[
    "CleanCommand",
    "CleanPatterns",
    "InstallCommand",
    "ListCommand",
    "RemoveCommand",
    "UpdateCommand",
    "UpgradeCommand",
    "Verbatim",
];

pub(super) fn read(
    place: &Place<'_>,
    reading: &Reading<'_>,
    variables: &BTreeMap<String, String>,
) -> BTreeMap<String, Packager> {
    let packager = |(name, place): (&str, Place<'_>)| (name.to_owned(), packager(&place, reading, variables));
    place.entries().into_iter().map(packager).collect()
}

fn packager(place: &Place<'_>, reading: &Reading<'_>, variables: &BTreeMap<String, String>) -> Packager {
    let record = place.record(FIELDS);
    let list = record
        .get("ListCommand")
        .map(|place| place.record(&["ArgList", "SizeMultiplier"]));
    let line = |place: &Place<'_>| {
        let text = place.text();
        checks::no_secrets(place, &text, reading);
        expand::known(&text, |name| variables.get(name).map(String::as_str))
    };
    let word = |place: &Place<'_>| {
        let word = line(place);
        if word.contains('\'') && word.split_whitespace().nth(1).is_some() {
            place.warning(
                "a single quote inside ends the quotes that an argument of several words gets in the script",
            );
        }
        word
    };
    let words = |place: Option<&Place<'_>>| -> Vec<String> {
        let places = place.map(Place::list).unwrap_or_default();
        places.iter().map(word).collect()
    };
    let lines = |place: Option<&Place<'_>>| -> Vec<String> {
        let places = place.map(Place::list).unwrap_or_default();
        places.iter().map(line).collect()
    };
    Packager {
        clean_command: words(record.get("CleanCommand")),
        clean_patterns: record
            .get("CleanPatterns")
            .map(clean_patterns)
            .unwrap_or_default(),
        install_command: words(record.get("InstallCommand")),
        list_command: words(list.as_ref().and_then(|list| list.get("ArgList"))),
        remove_command: words(record.get("RemoveCommand")),
        size_multiplier: list
            .as_ref()
            .and_then(|list| list.get("SizeMultiplier"))
            .map_or(1, |place| place.whole().max(1)),
        update_command: words(record.get("UpdateCommand")),
        upgrade_command: words(record.get("UpgradeCommand")),
        verbatim: lines(record.get("Verbatim")),
    }
}

fn clean_patterns(place: &Place<'_>) -> Vec<String> {
    for place in place.list() {
        if place.text().contains('\'') {
            place.warning("a single quote ends the quotes around the pattern in the script");
        }
    }
    checks::filter_lines(place)
}
