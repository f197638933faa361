//! `/ui/channels`: the channels, how many images are in each, and the newest.

use actix_web::HttpResponse;
use front::page::{Cell, Column, Page, Table, empty, encode};
use repository::json::{Value, to_text};

use super::viewer::Viewer;
use super::{image_cells, images};

/// The page.
pub(super) fn page(viewer: &Viewer<'_>) -> HttpResponse {
    match table(viewer) {
        Ok(table) => {
            let page = Page::new(viewer.site, "channels")
                .crumb("/ui/channels", "channels")
                .command(format!("imgapi-cli --url {} channels", viewer.api()));
            table.respond(viewer.query, page)
        }
        Err(error) => viewer.refuse(&error),
    }
}

/// One row a channel.
pub(super) fn table(viewer: &Viewer<'_>) -> repository::Result<Table> {
    let mut table = Table::new([
        Column::text("Channel"),
        Column::text("Description"),
        Column::text("Default"),
        Column::number("Images"),
        Column::text("Newest"),
        Column::text("Published"),
    ])
    .when_empty(empty(
        "This repository has no channels.",
        "They are the key <code>channels</code> of the configuration.",
    ));
    let value = viewer.settings.channels.to_value();
    for channel in value.as_array().into_iter().flatten() {
        let field = |name: &str| channel.get(name).map(to_text).unwrap_or_default();
        let name = field("name");
        let found = viewer.images(&format!("channel={}", encode(&name)))?;
        let newest = found.first();
        let is_default = channel.get("default") == Some(&Value::Bool(true));
        let published = newest.map(|entry| super::viewer::manifest(entry.form()));
        let published = published
            .as_ref()
            .and_then(|manifest| manifest.get("published_at"));
        table.push([
            Cell::link(images::of_channel(&name), name.clone()),
            Cell::text(field("description")),
            Cell::text(if is_default { "yes" } else { "" }),
            Cell::count(found.len() as u64),
            newest.map_or_else(Cell::empty, |entry| {
                let text = format!("{} {}", entry.name(), entry.version());
                Cell::link(image_cells::path(entry), text)
            }),
            image_cells::published(published.and_then(Value::as_str).unwrap_or_default()),
        ]);
    }
    Ok(table)
}
