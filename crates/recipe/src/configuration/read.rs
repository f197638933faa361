//! Reading the main configuration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Configuration, QuickLink, Reading, bootstrap, checks, packagers};
use crate::text::{self, Node, Place, Record};
use crate::{BootstrapStream, Cache, Checked, expand};

const FIELDS: &[&str] = &[
    "BindMounts",
    "BootstrapStreams",
    "Cache",
    "ImageStreamsCheckInterval",
    "ImageStreamsToAutoRebuild",
    "ImageStreamsUrl",
    "MtimesCopyFilterLines",
    "PackagerTypes",
    "RelationshipsQuickLinks",
    "SshMetadataFetcher",
    "Variables",
];

pub(super) fn parse(text: &[u8], reading: &Reading<'_>) -> Checked<Configuration> {
    text::check(text, reading.format, |top| configuration(top, reading))
}

fn configuration(top: &Place<'_>, reading: &Reading<'_>) -> Configuration {
    let record = top.record(FIELDS);
    let variables = variables(&record, reading);
    let packager_types = record
        .get("PackagerTypes")
        .map(|place| packagers::read(place, reading, &variables))
        .unwrap_or_default();
    let bootstrap_streams = record
        .get("BootstrapStreams")
        .map(|place| bootstrap_streams(place, reading, &variables, &packager_types))
        .unwrap_or_default();
    let (image_streams_to_auto_rebuild, auto_rebuild_lines) = auto_rebuild(&record, reading);
    if let Some(place) = record.get("SshMetadataFetcher") {
        ssh_metadata_fetcher(place);
    }
    Configuration {
        bind_mounts: checks::bind_mounts(&record),
        bootstrap_streams,
        cache: record.get("Cache").and_then(cache),
        image_streams_check_interval: record
            .get("ImageStreamsCheckInterval")
            .map(interval)
            .unwrap_or_default(),
        image_streams_to_auto_rebuild,
        image_streams_url: image_streams_url(&record, reading),
        mtimes_copy_filter_lines: record
            .get("MtimesCopyFilterLines")
            .map(checks::filter_lines)
            .unwrap_or_default(),
        packager_types,
        relationships_quick_links: quick_links(&record),
        variables,
        auto_rebuild_lines,
    }
}

/// The table `Variables`: values may have `$ARCH` in them.
fn variables(record: &Record<'_>, reading: &Reading<'_>) -> BTreeMap<String, String> {
    const TAKEN: [&str; 4] = ["ARCH", "dir", "MANIFEST_GIT_COMMIT_ID", "REQUESTED_GIT_BRANCH"];
    let Some(place) = record.get("Variables") else {
        return BTreeMap::new();
    };
    let mut variables = BTreeMap::new();
    for (name, place) in place.entries() {
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            place.error("a variable's name is made of letters, digits and _");
        } else if TAKEN.contains(&name) || name.starts_with("IMAGE_STREAM") {
            place.error(format!("${name} has a meaning of its own: take another name"));
        } else if reading.secrets.is_some_and(|secrets| secrets.get(name).is_some()) {
            place.error(format!(
                "${name} is in the variables file as well: take another name"
            ));
        }
        let value = place.text();
        variables.insert(
            name.to_owned(),
            expand::known(&value, checks::architecture(reading)),
        );
    }
    variables
}

fn bootstrap_streams(
    place: &Place<'_>,
    reading: &Reading<'_>,
    variables: &BTreeMap<String, String>,
    packagers: &BTreeMap<String, crate::Packager>,
) -> BTreeMap<String, Arc<BootstrapStream>> {
    let mut streams = BTreeMap::new();
    for (key, place) in place.entries() {
        let name = checks::stream_name(&place, key, reading);
        if streams.contains_key(&name) {
            place.error(format!("duplicate bootstrap stream: {name}"));
            continue;
        }
        let stream = bootstrap::read(&place, reading, variables, packagers);
        streams.insert(name, Arc::new(stream));
    }
    streams
}

fn auto_rebuild(record: &Record<'_>, reading: &Reading<'_>) -> (Vec<String>, Vec<usize>) {
    let Some(place) = record.get("ImageStreamsToAutoRebuild") else {
        return (Vec::new(), Vec::new());
    };
    let expanded = |place: &Place<'_>| {
        let name = expand::opportunistic(&place.text(), checks::architecture(reading));
        (name, place.line())
    };
    place.list().iter().map(expanded).unzip()
}

fn cache(place: &Place<'_>) -> Option<Cache> {
    let record = place.record(&["BaseDirectory", "MountPoint", "SizeLimit"]);
    let directory = |field| {
        let place = record.get(field)?;
        let path = place.text();
        if path.is_empty() {
            return None;
        }
        checks::absolute(place, &path);
        Some(path)
    };
    let (base, mount_point) = (directory("BaseDirectory"), directory("MountPoint"));
    let size_limit = record.get("SizeLimit").map(size).unwrap_or_default();
    match (base, mount_point) {
        (Some(base_directory), Some(mount_point)) => Some(Cache {
            base_directory,
            mount_point,
            size_limit,
        }),
        (None, None) => None,
        _ => {
            place.warning("nothing is cached: both BaseDirectory and MountPoint are needed");
            None
        }
    }
}

/// Bytes, also as people write them.
fn size(place: &Place<'_>) -> u64 {
    let Node::Text(text) = place.node() else {
        return place.whole();
    };
    human::parse_size(text).unwrap_or_else(|error| {
        place.error(error.to_string());
        0
    })
}

/// Seconds, or a duration as in flags.
fn interval(place: &Place<'_>) -> Duration {
    let Node::Text(text) = place.node() else {
        return Duration::from_secs(place.whole());
    };
    human::parse_go_duration(text).unwrap_or_else(|error| {
        place.error(format!(
            "{error}: write a number of seconds, or a duration such as \"5m\""
        ));
        Duration::ZERO
    })
}

fn image_streams_url(record: &Record<'_>, reading: &Reading<'_>) -> String {
    let Some(place) = record.get("ImageStreamsUrl") else {
        return String::new();
    };
    let url = place.text();
    checks::password(place, &url);
    let Some(secrets) = reading.secrets else {
        return url;
    };
    let names = expand::names(&url);
    for name in names.iter().filter(|name| secrets.get(name).is_none()) {
        place.error(format!("${name} is not in the variables file"));
    }
    let expanded = expand::expression(&url, |name| secrets.get(name));
    if !expanded.is_empty()
        && let Err(error) = crate::Source::parse(&expanded)
    {
        place.error(secrets.redact_text(&error.to_string()));
    }
    url
}

fn quick_links(record: &Record<'_>) -> Vec<QuickLink> {
    let places = record.get("RelationshipsQuickLinks").map(Place::list);
    let link = |place: &Place<'_>| {
        let record = place.record(&["Name", "URL"]);
        QuickLink {
            name: record.text("Name"),
            url: record.text("URL"),
        }
    };
    places.unwrap_or_default().iter().map(link).collect()
}

/// Credentials for git from the metadata service of a cloud: nothing here asks such a service.
fn ssh_metadata_fetcher(place: &Place<'_>) {
    let record = place.record(&["Algorithm", "CertificateFilename", "Directory", "KeyFilename"]);
    if !record.text("Algorithm").is_empty() {
        place.warning(
            "SSH keys are not fetched from a metadata service: put the key where the user's ssh finds it",
        );
    }
}
