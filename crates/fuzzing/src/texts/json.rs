//! JSON that people write, and JSON from peers.

use image::triggers::{self, CompiledTriggers};
use image::{Image, Triggers, computed_files, go_json, tags};
use protocol::{image_server, logger, object_server};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Expressions that are compiled: what that costs is the filters' own target.
const LINES_MAX: usize = 16;

pub(super) fn triggers(text: &[u8]) {
    let Ok(triggers) = triggers::parse(text) else {
        return;
    };
    let written = go_json::to_pretty(&triggers.triggers).unwrap_or_else(|error| panic!("{error}"));
    match triggers::parse(&written) {
        Ok(again) => assert_eq!(again, triggers),
        Err(error) => panic!("what was written is not understood: {error}"),
    }
    let lines: usize = triggers
        .triggers
        .iter()
        .map(|trigger| trigger.match_lines.len())
        .sum();
    if lines > LINES_MAX {
        return;
    }
    let Ok(compiled) = CompiledTriggers::new(&triggers) else {
        return;
    };
    let merged: Triggers = triggers::merge([&triggers]).unwrap_or_default();
    let paths = ["/", "/etc/ssh/sshd_config", "/a"];
    let matching = compiled.matching(paths).len();
    let merged = CompiledTriggers::new(&merged).unwrap_or_else(|error| panic!("merging broke it: {error}"));
    assert!(
        merged.matching(paths).len() <= matching && (matching == 0 || !merged.matching(paths).is_empty())
    );
}

pub(super) fn tags(text: &[u8]) {
    if let Ok(tags) = tags::parse_json(text) {
        let wanted = tags
            .iter()
            .map(|(key, value)| (key.clone(), vec![value.clone()]))
            .collect();
        assert!(tags::matches(&tags, &wanted));
    }
}

pub(super) fn computed_files(text: &[u8]) {
    if let Ok(files) = computed_files::parse_json(text) {
        let merged = computed_files::merge([files.as_slice(), &files]);
        assert_eq!(computed_files::merge([merged.as_slice()]), merged);
        let written = go_json::to_pretty(&merged).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(computed_files::parse_json(&written).ok(), Some(merged));
    }
}

/// What a peer may say in JSON, read exactly and leniently.
pub(super) fn messages(text: &[u8]) {
    travels::<Image>(text);
    travels::<image_server::FindLatestImageRequest>(text);
    travels::<image_server::GetImageArchiveResponse>(text);
    travels::<image_server::ImageUpdate>(text);
    travels::<image_server::GetImageInodesResponse>(text);
    travels::<object_server::AddObjectResponse>(text);
    travels::<object_server::CheckObjectsRequest>(text);
    travels::<logger::WatchResponse>(text);
}

fn travels<T: Serialize + DeserializeOwned>(text: &[u8]) {
    let exact = serde_json::from_slice::<T>(text);
    let lenient = go_json::from_slice::<T>(text);
    if let Err(error) = &exact {
        let _ = go_json::error_text(error);
    }
    for value in exact.into_iter().chain(lenient) {
        // Times beyond the year 9999 have no JSON form.
        let Ok(line) = go_json::to_line(&value) else {
            continue;
        };
        let again = serde_json::from_slice::<T>(&line);
        let again = again.unwrap_or_else(|error| panic!("what was written is not understood: {error}"));
        assert_eq!(go_json::to_line(&again).ok(), Some(line));
    }
}
