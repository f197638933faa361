//! `/listComputedInodes?NAME`: files whose content is computed per machine.

use super::context::Context;
use actix_web::HttpResponse;
use front::page::{Cell, Column, Table, empty};

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let entry = match context.image() {
        Ok(entry) => entry,
        Err(name) => return context.unknown_image(&name),
    };
    let mut table = Table::new([Column::text("Filename"), Column::text("Data Source")])
        .when_empty(empty("No file of this image is computed.", ""));
    for file in &entry.computed_files {
        table.push([Cell::text(file.filename.clone()), Cell::text(file.source.clone())]);
    }
    table.respond(
        context.query,
        context.page_of(&entry, format!("computed files of {}", entry.name)),
    )
}
