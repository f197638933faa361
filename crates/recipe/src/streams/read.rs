//! Reading the image streams file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Streams, find};
use crate::configuration::checks;
use crate::text::{self, Place};
use crate::{Checked, ManifestLocation, Reading, UserStream, expand};

const FIELDS: &[&str] = &[
    "BuilderGroups",
    "BuilderUsers",
    "ManifestDirectory",
    "ManifestUrl",
    "Variables",
];

/// What every build of a stream knows.
const OF_EVERY_STREAM: [&str; 4] = [
    "ARCH",
    "IMAGE_STREAM",
    "IMAGE_STREAM_DIRECTORY_NAME",
    "IMAGE_STREAM_LEAF_NAME",
];

pub(super) fn parse(text: &[u8], reading: &Reading<'_>) -> Checked<Streams> {
    text::check(text, reading.format, |top| {
        let record = top.record(&["StreamPatterns", "Streams"]);
        Streams {
            streams: record
                .get("Streams")
                .map(|place| streams(place, reading))
                .unwrap_or_default(),
            patterns: record
                .get("StreamPatterns")
                .map(|place| patterns(place, reading))
                .unwrap_or_default(),
        }
    })
}

fn streams(place: &Place<'_>, reading: &Reading<'_>) -> BTreeMap<String, Arc<UserStream>> {
    let mut streams = BTreeMap::new();
    for (key, place) in place.entries() {
        let name = checks::stream_name(&place, key, reading);
        if streams.contains_key(&name) {
            place.error(format!("duplicate stream: {name}"));
            continue;
        }
        streams.insert(name, Arc::new(stream(&place, reading)));
    }
    streams
}

fn patterns(place: &Place<'_>, reading: &Reading<'_>) -> BTreeMap<String, find::Pattern> {
    let mut patterns = BTreeMap::new();
    for (key, place) in place.entries() {
        checks::only_known(&place, key, &["ARCH"], reading);
        let text = expand::expression(key, checks::architecture(reading));
        if patterns.contains_key(&text) {
            place.error(format!("duplicate stream pattern: {text}"));
            continue;
        }
        let stream = Arc::new(stream(&place, reading));
        match find::compile(&text) {
            Ok(expression) => drop(patterns.insert(text, find::Pattern { expression, stream })),
            Err(error) => place.error(error.to_string()),
        }
    }
    patterns
}

fn stream(place: &Place<'_>, reading: &Reading<'_>) -> UserStream {
    let record = place.record(FIELDS);
    let stream = UserStream {
        manifest_url: record.text("ManifestUrl"),
        manifest_directory: record.text("ManifestDirectory"),
        builder_groups: record.texts("BuilderGroups"),
        builder_users: record.texts("BuilderUsers"),
        variables: record.get("Variables").map(Place::text_table).unwrap_or_default(),
    };
    for (_, place) in record.get("Variables").map(Place::entries).unwrap_or_default() {
        if let text::Node::Text(value) = place.node() {
            checks::only_known(&place, value, &["IMAGE_STREAM"], reading);
        }
    }
    let at = record.get("ManifestUrl").unwrap_or(place);
    if stream.manifest_url.is_empty() {
        at.warning("without a ManifestUrl the stream cannot be built");
    }
    checks::password(at, &stream.manifest_url);
    for field in ["ManifestUrl", "ManifestDirectory"] {
        if let Some(place) = record.get(field) {
            known_at_fetch(place, &stream, reading);
        }
    }
    // What the variables stand for does not matter here: they do not change whether it is a tree of this host.
    if let Err(error) = ManifestLocation::without_secrets("stream", &stream).local_tree()
        && !stream.manifest_url.contains('$')
    {
        at.warning(error.to_string());
    }
    stream
}

/// Tells of variables that only a request could bring.
fn known_at_fetch(place: &Place<'_>, stream: &UserStream, reading: &Reading<'_>) {
    let (text::Node::Text(text), Some(secrets)) = (place.node(), reading.secrets) else {
        return;
    };
    for name in expand::names(text) {
        let is_known = OF_EVERY_STREAM.contains(&name.as_str())
            || stream.variables.contains_key(&name)
            || secrets.get(&name).is_some();
        if !is_known {
            place.warning(format!(
                "${name} is neither the stream's nor in the variables file: unless a request brings it, it becomes nothing"
            ));
        }
    }
}
