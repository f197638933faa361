//! `/listPackages?NAME`: the packages in an image. The only page about an image with a status of its own for an unknown one
//! (`imageserver.md §9`).

use super::context::{Context, unknown};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use front::page::{Cell, Column, Table, empty};

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    if context.query.is_empty() {
        return HttpResponse::BadRequest()
            .content_type("text/plain; charset=utf-8")
            .body("no image named\n");
    }
    let entry = match context.image() {
        Ok(entry) => entry,
        Err(name) => {
            return front::page::problem(
                context.site,
                StatusCode::NOT_FOUND,
                "unknown image",
                &unknown(&name),
                "",
            );
        }
    };
    let mut table = Table::new([
        Column::text("Name"),
        Column::number("Size"),
        Column::text("Version"),
    ])
    // `name version size`, as scripts have it.
    .text_columns([0, 2, 1])
    .when_empty(empty("This image says nothing about its packages.", ""));
    for package in entry.packages.iter() {
        table.push([
            Cell::text(package.name.clone()),
            Cell::bytes(package.size),
            Cell::text(package.version.clone()),
        ]);
    }
    let page = context
        .page_of(&entry, format!("packages of {}", entry.name))
        .command(format!("imagetool get-package-list {}", entry.name));
    table.respond(context.query, page)
}
