//! Reading a bootstrap stream (`imaginator.md §8.1`).

use std::collections::BTreeMap;

use image::triggers::CompiledTriggers;
use image::{Filter, Triggers};

use super::{Reading, checks};
use crate::text::{Place, Record};
use crate::{BootstrapStream, Owners, Packager, expand};

const FIELDS: &[&str] = &[
    "BindMounts",
    "BootstrapCommand",
    "FilterLines",
    "ImageFilterUrl",
    "ImageTagsUrl",
    "ImageTriggersUrl",
    "Owners",
    "PackagerType",
];

pub(super) fn read(
    place: &Place<'_>,
    reading: &Reading<'_>,
    variables: &BTreeMap<String, String>,
    packagers: &BTreeMap<String, Packager>,
) -> BootstrapStream {
    let record = place.record(FIELDS);
    let packager_type = record.text("PackagerType");
    let packager = packagers.get(&packager_type);
    if packager.is_none() {
        let at = record.get("PackagerType").unwrap_or(place);
        at.error(format!("packager type: {packager_type:?} unknown"));
    }
    BootstrapStream {
        bind_mounts: checks::bind_mounts(&record),
        command: command(place, &record, reading, variables),
        filter_lines: record
            .get("FilterLines")
            .map(checks::filter_lines)
            .unwrap_or_default(),
        image_filter: opened(&record, "ImageFilterUrl", reading, filter),
        image_triggers: opened(&record, "ImageTriggersUrl", reading, triggers),
        image_tags: opened(&record, "ImageTagsUrl", reading, tags).unwrap_or_default(),
        owners: record.get("Owners").map(owners).unwrap_or_default(),
        packager: packager.cloned().unwrap_or_default(),
        packager_type,
    }
}

/// The words of the command: first the variables of the configuration, wherever they stand, then `$ARCH` unless something else is
/// unknown in a word, as the original has it.
fn command(
    place: &Place<'_>,
    record: &Record<'_>,
    reading: &Reading<'_>,
    variables: &BTreeMap<String, String>,
) -> Vec<String> {
    let words = record
        .get("BootstrapCommand")
        .map(Place::list)
        .unwrap_or_default();
    let Some(program) = words.first() else {
        let at = record.get("BootstrapCommand").unwrap_or(place);
        at.error("BootstrapCommand is empty: name the program that fills $dir, and its arguments");
        return Vec::new();
    };
    if program.text().is_empty() {
        program.error("the name of the program is empty");
    }
    let has_directory = |place: &Place<'_>| expand::names(&place.text()).iter().any(|name| name == "dir");
    if !words.iter().any(has_directory) {
        program.warning("no argument has $dir, the directory that is to be filled");
    }
    let word = |place: &Place<'_>| {
        let text = place.text();
        checks::no_secrets(place, &text, reading);
        let text = expand::known(&text, |name| variables.get(name).map(String::as_str));
        expand::opportunistic(&text, checks::architecture(reading))
    };
    words.iter().map(word).collect()
}

/// What the URL in a field leads to; nothing without one.
fn opened<T>(
    record: &Record<'_>,
    field: &str,
    reading: &Reading<'_>,
    parse: impl Fn(&[u8]) -> Result<T, String>,
) -> Option<T> {
    let place = record.get(field)?;
    let url = place.text();
    if url.is_empty() {
        return None;
    }
    match (reading.open)(&url).and_then(|text| parse(&text)) {
        Ok(value) => Some(value),
        Err(error) => {
            place.error(error);
            None
        }
    }
}

fn filter(text: &[u8]) -> Result<Filter, String> {
    let filter = image::filter::parse_lines(text);
    image::filter::CompiledFilter::new(&filter).map_err(|error| error.to_string())?;
    Ok(filter)
}

fn triggers(text: &[u8]) -> Result<Triggers, String> {
    let triggers = image::triggers::parse(text).map_err(|error| error.to_string())?;
    CompiledTriggers::new(&triggers).map_err(|error| error.to_string())?;
    Ok(triggers)
}

fn tags(text: &[u8]) -> Result<BTreeMap<String, String>, String> {
    image::tags::parse_json(text).map_err(|error| error.to_string())
}

/// Who may delete an image or change its expiry.
pub(crate) fn owners(place: &Place<'_>) -> Owners {
    let record = place.record(&["Groups", "Users"]);
    Owners {
        groups: record.texts("Groups"),
        users: record.texts("Users"),
    }
}
