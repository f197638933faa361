//! Reading the JSON files of a manifest directory. Fields that are unknown are for other programs: nobody is told of them.

use std::collections::BTreeMap;

use super::Manifest;
use crate::configuration::{self, checks};
use crate::text::{self, Format, Place};
use crate::{Owners, Problems};

const FIELDS: &[&str] = &[
    "FilterLines",
    "MtimesCopyAddFilterLines",
    "MtimesCopyFilterLines",
    "SourceImage",
    "SourceImageBuildVariables",
    "SourceImageGitCommitId",
    "SourceImageTagsToMatch",
];

pub(super) fn manifest(text: &[u8]) -> Result<Manifest, Problems> {
    let read = |top: &Place<'_>| {
        let record = top.record(FIELDS);
        let lines = |field| {
            record
                .get(field)
                .filter(|place| *place.node() != text::Node::Null)
        };
        let tags = |place: &Place<'_>| -> BTreeMap<String, Vec<String>> {
            place
                .entries()
                .into_iter()
                .map(|(key, place)| (key.to_owned(), place.texts()))
                .collect()
        };
        Manifest {
            source_image: record.text("SourceImage"),
            filter_lines: lines("FilterLines").map(checks::filter_lines),
            mtimes_copy_filter_lines: lines("MtimesCopyFilterLines").map(checks::filter_lines),
            mtimes_copy_add_filter_lines: lines("MtimesCopyAddFilterLines").map(checks::filter_lines),
            source_image_build_variables: record
                .get("SourceImageBuildVariables")
                .map(Place::text_table)
                .unwrap_or_default(),
            source_image_git_commit_id: record.text("SourceImageGitCommitId"),
            source_image_tags_to_match: record.get("SourceImageTagsToMatch").map(tags).unwrap_or_default(),
        }
    };
    text::check(text, Format::Json, read).into_result()
}

pub(super) fn owners(text: &[u8]) -> Result<Owners, Problems> {
    text::check(text, Format::Json, configuration::owners).into_result()
}
