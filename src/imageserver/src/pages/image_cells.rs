//! An image as a row of a list: what people look for first.

use super::context::image_link;
use crate::state::quarantine;
use actors::image_index::ImageEntry;
use front::page::{Cell, Column, encode, escape};

/// What a row is made from.
pub(super) struct ImageRow<'a> {
    pub(super) entry: &'a ImageEntry,
    /// The image it is usually compared with.
    pub(super) before: Option<&'a str>,
}

/// The columns of such lists; without the last, which needs an image to compare with, where [`ImageRow::before`] is always `None`.
pub(super) fn columns(with_compare: bool) -> Vec<Column> {
    let mut columns = vec![
        Column::text("Name"),
        Column::text("Made"),
        Column::text("By"),
        Column::number("Data size"),
        Column::number("Files"),
        Column::number("Packages"),
        Column::text("Built from"),
        Column::text("Expires"),
    ];
    columns.extend(with_compare.then(|| Column::text("Compare")));
    columns
}

impl ImageRow<'_> {
    /// The cells under [`columns`].
    pub(super) fn cells(&self) -> [Cell; 9] {
        let (entry, metadata) = (self.entry, &self.entry.metadata);
        let by = if metadata.created_for.is_empty() {
            &metadata.created_by
        } else {
            &metadata.created_for
        };
        let packages = entry.packages.iter().count() as u64;
        [
            name_cell(entry),
            Cell::time(crate::time::timestamp(metadata.created_on)),
            Cell::text(by.clone()),
            Cell::bytes(entry.total_data_bytes),
            Cell::count(entry.num_regular_inodes),
            Cell::count(packages),
            built_from(entry),
            Cell::time(crate::time::timestamp(metadata.expires_at)),
            match self.before {
                Some(before) => Cell::html(
                    format!(
                        "<a href=\"{}\">with the one before</a>",
                        escape(&compare_link(before, &entry.name))
                    ),
                    before,
                ),
                None => Cell::empty(),
            },
        ]
    }
}

/// The page that compares two images.
pub(super) fn compare_link(left: &str, right: &str) -> String {
    format!("/compare?left={}&right={}", encode(left), encode(right))
}

/// The name, linked, and that it cannot be read if so.
pub(super) fn name_cell(entry: &ImageEntry) -> Cell {
    let target = image_link(&entry.name);
    match quarantine(entry) {
        None => Cell::link(target, entry.name.to_string()),
        Some(reason) => Cell::html(
            format!(
                "<a href=\"{}\">{}</a> <span class=\"failing\" title=\"{}\">■ cannot be read</span>",
                escape(&target),
                escape(&entry.name),
                escape(reason)
            ),
            entry.name.to_string(),
        ),
    }
}

/// Branch and commit, the commit shortened.
fn built_from(entry: &ImageEntry) -> Cell {
    let (branch, commit) = (&entry.metadata.build_branch, &entry.metadata.build_commit_id);
    let html = match (branch.is_empty(), commit.is_empty()) {
        (_, true) => escape(branch),
        (true, false) => front::page::hash(commit),
        (false, false) => format!("{} {}", escape(branch), front::page::hash(commit)),
    };
    Cell::html(html, format!("{branch} {commit}").trim())
}
