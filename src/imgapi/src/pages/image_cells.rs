//! Cells that say something of an image.

use front::page::{Cell, Column};
use repository::catalogue::{Entry, State};
use repository::json::Value;

/// How an image is, by word and shape.
pub(super) fn state(entry: &Entry) -> Cell {
    let (class, shape, word) = match entry.state() {
        State::Active => ("good", "●", "active"),
        State::Disabled => ("queued", "▲", "disabled"),
        State::Unactivated => ("unknown", "○", "unactivated"),
        State::Creating => ("building", "◌", "creating"),
        State::Failed => ("failed", "■", "failed"),
    };
    sign(class, shape, word)
}

/// A word with a shape, in the colour of a class.
pub(super) fn sign(class: &str, shape: &str, word: &str) -> Cell {
    let html =
        format!("<span class=\"state {class}\"><span aria-hidden=\"true\">{shape}</span> {word}</span>");
    Cell::html(html, word)
}

/// What it is called; something in any case.
pub(super) fn name(entry: &Entry) -> &str {
    match entry.name() {
        "" => "(no name)",
        name => name,
    }
}

/// The columns of a list of images.
pub(super) fn columns() -> Vec<Column> {
    Vec::from([
        Column::text("Name"),
        Column::text("Version"),
        Column::text("State"),
        Column::text("Published"),
        Column::number("Size"),
        Column::text("OS"),
        Column::text("Type"),
        Column::text("Channels"),
        Column::text("UUID"),
    ])
}

/// The row of an image.
pub(super) fn row(entry: &Entry) -> Vec<Cell> {
    let manifest = super::viewer::manifest(entry.form());
    let field = |name: &str| manifest.get(name).and_then(Value::as_str).unwrap_or_default();
    let channels: Vec<&str> = entry.channels().collect();
    let size: u64 = entry.files().iter().map(|file| file.size).sum();
    Vec::from([
        Cell::link(path(entry), name(entry)),
        Cell::text(entry.version()),
        state(entry),
        published(field("published_at")),
        if entry.files().is_empty() {
            Cell::empty()
        } else {
            Cell::bytes(size)
        },
        Cell::word(field("os")),
        Cell::word(entry.kind().unwrap_or_default()),
        Cell::text(channels.join(", ")),
        Cell::html(
            format!("<code class=\"word\">{}</code>", entry.uuid()),
            entry.uuid().to_string(),
        ),
    ])
}

/// Where an image's page is.
pub(super) fn path(entry: &Entry) -> String {
    format!("{}/images/{}", super::BASE, entry.uuid())
}

/// A time of a manifest.
pub(super) fn published(text: &str) -> Cell {
    Cell::time(text.parse().ok())
}
