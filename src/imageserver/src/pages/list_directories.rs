//! `/listDirectories`: all directories with their owners.

use super::context::{Context, encode};
use actix_web::HttpResponse;
use front::page::{Cell, Column, Page, Table};

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let snapshot = context.shared.images.snapshot();
    let mut directories: Vec<_> = snapshot.directories.iter().collect();
    directories.sort_by(|left, right| human::version_cmp(&**left.0, &**right.0));
    let mut table = Table::new([Column::text("Name"), Column::text("Owner Group")]).text_columns([0]);
    for (name, entry) in directories {
        let target = format!("/listImages?directoryName={}", encode(name).replace('+', "%2B"));
        table.push([
            Cell::link(target, name.to_string()),
            Cell::text(entry.owner_group.to_string()),
        ]);
    }
    table.respond(
        context.query,
        Page::new(context.site, "directories").command("imagetool listdirs"),
    )
}
