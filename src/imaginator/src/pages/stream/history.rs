//! The builds of a stream: a strip to see at a glance, and a table.

use std::time::Duration;

use crate::pages::context::{Context, timestamp};
use crate::pages::links;
use crate::pages::state_word::Outcome;
use actors::build_runner::Why;
use actors::stream_scheduler::{HistoryEntry, Snapshot};
use front::page::{Cell, Column, Table, empty, escape};

/// Builds in the strip.
const STRIP_MOST: usize = 30;

fn entries<'a>(snapshot: &'a Snapshot, stream: &str) -> &'a [HistoryEntry] {
    snapshot
        .histories
        .get(stream)
        .map_or(&[], |history| history.as_slice())
}

/// The page of a build of the past.
fn link(entry: &HistoryEntry) -> String {
    match entry.number {
        // The number is that of the build in which the source was built.
        _ if matches!(entry.why, Why::SourceFor { .. }) && !entry.name.is_empty() => {
            links::archived(&entry.name)
        }
        0 => links::archived(&entry.name),
        number => links::build(number),
    }
}

/// A sign for each build, oldest first, above it how long it took against the longest.
pub(super) fn strip(snapshot: &Snapshot, stream: &str) -> String {
    let entries = entries(snapshot, stream);
    let shown = &entries[entries.len().saturating_sub(STRIP_MOST)..];
    if shown.is_empty() {
        return String::new();
    }
    let longest = shown.iter().map(|entry| entry.duration).max().unwrap_or_default();
    let items: String = shown.iter().map(|entry| item(entry, longest)).collect();
    format!("<ol class=\"strip\" aria-label=\"builds, the newest last\">{items}</ol>")
}

fn item(entry: &HistoryEntry, longest: Duration) -> String {
    let outcome = Outcome::of_end(entry.error.is_none(), entry.is_cancelled);
    let share = if longest.is_zero() {
        0.0
    } else {
        entry.duration.as_secs_f64() / longest.as_secs_f64()
    };
    let mut title = format!("{}, {}", outcome.word(), human::duration(entry.duration));
    if let Some(at) = timestamp(entry.started_at) {
        title += &format!(", {}", at.strftime("%Y-%m-%d %H:%M:%S UTC"));
    }
    if let Some(error) = &entry.error {
        title += &format!(": {error}");
    }
    let title = escape(&title);
    format!(
        "<li><a class=\"state {}\" href=\"{}\" title=\"{title}\" aria-label=\"{title}\" style=\"--share:{share:.2}\"><i></i>{}</a></li>",
        outcome.class(),
        escape(&link(entry)),
        outcome.sign()
    )
}

/// The same with why, who, and what came of it, the newest first.
pub(super) fn table(context: &Context<'_>, snapshot: &Snapshot, stream: &str) -> Table {
    let server = &context.shared.options.presentation_image_server;
    let mut table = Table::new([
        Column::text("Began"),
        Column::text("State"),
        Column::number("Duration"),
        Column::text("Why"),
        Column::text("Asked by"),
        Column::text("Image"),
        Column::text("Error"),
        Column::text("Build log"),
    ])
    .when_empty(empty(
        "This stream was not built since this image builder keeps records.",
        "",
    ));
    for entry in entries(snapshot, stream).iter().rev() {
        let outcome = Outcome::of_end(entry.error.is_none(), entry.is_cancelled);
        let is_good = entry.error.is_none();
        table.push([
            Cell::time(timestamp(entry.started_at)),
            Cell::html(outcome.html(), outcome.word()),
            Cell::duration(entry.duration),
            Cell::text(entry.why.to_string()),
            Cell::text(if entry.requester.is_empty() {
                "imaginator"
            } else {
                &entry.requester
            }),
            if is_good && !entry.name.is_empty() {
                Cell::html(
                    links::anchor(&links::image(server, &entry.name), &entry.name),
                    entry.name.clone(),
                )
            } else {
                Cell::empty()
            },
            Cell::text(entry.error.clone().unwrap_or_default()),
            Cell::html(links::anchor(&link(entry), "log"), link(entry)),
        ]);
    }
    table
}
