//! What is said about an image beside its tree.

use image::filter::CompiledFilter;
use image::packages::{self, Widths};
use image::select::{Candidate, Latest, Selection};
use image::tags::TagsToMatch;
use image::triggers::{self, CompiledTriggers};
use image::{Image, go_json, objects};

/// Lines that are compiled: what compiling costs is the filters' own target.
const LINES_MAX: usize = 16;

pub(super) fn everything(image: &Image) {
    json(image);
    if let Some(filter) = image
        .filter
        .as_ref()
        .filter(|filter| filter.filter_lines.len() <= LINES_MAX)
        && let Ok(filter) = CompiledFilter::new(filter)
    {
        let _ = filter.matches(b"/etc/passwd");
    }
    if let Some(triggers) = &image.triggers {
        let merged = triggers::merge([triggers, triggers]);
        assert_eq!(triggers::merge(&merged), merged, "merging twice is not the same");
        let lines: usize = triggers
            .triggers
            .iter()
            .map(|trigger| trigger.match_lines.len())
            .sum();
        if lines <= LINES_MAX
            && let Ok(compiled) = CompiledTriggers::new(triggers)
        {
            assert!(compiled.matching(["/", "/etc/passwd"]).len() <= triggers.triggers.len());
        }
    }
    let text = packages::text(&image.packages, Widths::of(&image.packages));
    assert!(text.lines().count() >= image.packages.len());
    assert!(packages::diff(&image.packages, &image.packages).is_empty());
    let references = objects::references(image).count();
    assert!(objects::distinct(image).len() <= references);
    selection(image);
}

/// Whatever can be decoded can be shown.
fn json(image: &Image) {
    // Times beyond the year 9999 have no JSON form.
    if let Ok(line) = go_json::to_line(image) {
        let parsed = serde_json::from_slice::<serde_json::Value>(&line);
        assert!(parsed.is_ok(), "no JSON: {:?}", String::from_utf8_lossy(&line));
        let pretty =
            go_json::to_pretty(image).map(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
        assert_eq!(pretty.ok().flatten(), parsed.ok());
    }
}

fn selection(image: &Image) {
    let tags: TagsToMatch = image
        .tags
        .iter()
        .map(|(key, value)| (key.clone(), vec![value.clone()]))
        .collect();
    let candidate = Candidate::of("a/b", image);
    let selection = Selection {
        directory_name: "a",
        ignore_expiring: false,
        tags_to_match: &tags,
    };
    assert!(selection.selects(&candidate), "its own tags do not match");
    let latest = Latest {
        directory_name: "a",
        build_commit_id: &image.build_commit_id,
        ignore_expiring: false,
        tags_to_match: &tags,
    };
    assert_eq!(latest.find([candidate, candidate]), Some("a/b"));
}
