//! `/listImages`: all images, or those of a directory.

use super::context::Context;
use super::image_cells::name_cell;
use crate::selection;
use actix_web::HttpResponse;
use front::page::{Cell, Column, Output, Pager, Query, Table, empty};
use protocol::image_server::ListSelectedImagesRequest;

/// Images on a page for people; the other forms have all of them.
const IMAGES_MOST: usize = 10_000;

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
    .when_empty(empty(
        "There are no images here.",
        "Add one: <code>imagetool add NAME IMAGEFILE FILTERFILE TRIGGERFILE</code>",
    ));
    if Query::new(context.query).output() == Output::Text {
        // Names alone: the form that scripts ask for, of all images there are.
        let names: String = images.iter().flat_map(|(name, _)| [&***name, "\n"]).collect();
        return HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .body(names);
    }
    let pager = Pager::new(context.query, images.len(), IMAGES_MOST);
    let shown = images.get(pager.shown()).unwrap_or_default();
    for (place, (_, entry)) in shown.iter().enumerate() {
        let metadata = &entry.metadata;
        table.push([
            // Sorted as versions, which plain text order is not.
            name_cell(entry).ordered_by(place),
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
        .crumb("/images", "images")
        .crumb("/listImages", "list")
        .command("imagetool list");
    table.respond_with(context.query, page, "", &pager.html())
}
