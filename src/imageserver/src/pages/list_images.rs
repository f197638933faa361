//! `/listImages`: all images, or those of a directory.

use super::context::{Context, encode};
use crate::selection;
use crate::state::quarantine;
use actix_web::HttpResponse;
use front::page::{Cell, Column, Query, Table, empty, escape};
use protocol::image_server::ListSelectedImagesRequest;

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let directory = Query::new(context.query)
        .get("directoryName")
        .unwrap_or_default()
        .into_owned();
    let title = if directory.is_empty() {
        "images".to_owned()
    } else {
        format!("images of {directory}")
    };
    let request = ListSelectedImagesRequest {
        directory_name: directory,
        ..ListSelectedImagesRequest::default()
    };
    let snapshot = context.shared.images.snapshot();
    let mut images = selection::selected(&snapshot, &request);
    images.sort_by(|left, right| human::version_cmp(&**left.0, &**right.0));
    let mut table = Table::new([
        Column::text("Name"),
        Column::number("Data Size"),
        Column::number("Estimated Usage"),
        Column::number("Data Inodes"),
        Column::number("Computed Inodes"),
        Column::number("Filter Lines"),
        Column::number("Triggers"),
        Column::text("Branch"),
        Column::text("Commit"),
    ])
    .text_columns([0])
    .when_empty(empty(
        "There are no images here.",
        "Add one: <code>imagetool add NAME IMAGEFILE FILTERFILE TRIGGERFILE</code>",
    ));
    for (place, (name, entry)) in images.into_iter().enumerate() {
        let metadata = &entry.metadata;
        let target = format!("/showImage?{}", encode(name));
        let name_cell = match quarantine(entry) {
            None => Cell::link(target, name.to_string()),
            Some(reason) => Cell::html(
                format!(
                    "<a href=\"{}\">{}</a> <span class=\"failing\" title=\"{}\">■ cannot be read</span>",
                    escape(&target),
                    escape(name),
                    escape(reason)
                ),
                name.to_string(),
            ),
        };
        table.push([
            // Sorted as versions, which plain text order is not.
            name_cell.ordered_by(place),
            Cell::bytes(entry.total_data_bytes),
            Cell::bytes(entry.usage_estimate),
            Cell::count(entry.num_regular_inodes),
            Cell::count(entry.computed_files.len() as u64),
            match &metadata.filter {
                Some(filter) => Cell::count(filter.filter_lines.len() as u64),
                None => Cell::text("(sparse filter)"),
            },
            match &metadata.triggers {
                Some(triggers) => Cell::count(triggers.triggers.len() as u64),
                None => Cell::text("(no triggers)"),
            },
            Cell::text(metadata.build_branch.clone()),
            Cell::text(metadata.build_commit_id.clone()),
        ]);
    }
    let page = front::page::Page::new(context.site, title)
        .crumb("/listDirectories", "directories")
        .command("imagetool list");
    table.respond(context.query, page)
}
