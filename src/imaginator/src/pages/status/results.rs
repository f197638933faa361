//! The last result of each stream: what failed, what went well.

use std::time::SystemTime;

use super::last_log;
use crate::pages::context::{exact, since, timestamp};
use crate::pages::links;
use crate::pages::streams::is_auto_rebuilt;
use crate::state::Shared;
use actors::build_runner::BuildResult;
use actors::stream_scheduler::Snapshot;
use front::page::{Cell, Column, Table, empty, escape};

/// Streams whose last build failed, sorted.
pub(super) fn failures(snapshot: &Snapshot) -> Vec<&BuildResult> {
    let results = snapshot.results.values().map(|last| &*last.result);
    results.filter(|result| result.outcome.is_err()).collect()
}

/// ` (last at: 22 Nov 2026 04:57:04 UTC, 5m0s ago)`; nothing if nothing failed.
pub(super) fn last_failure(snapshot: &Snapshot) -> String {
    let last = failures(snapshot).iter().map(|result| result.finished_at).max();
    last.map_or_else(String::new, |last| {
        let ago = since(last, SystemTime::now()).as_secs();
        let ago = human::duration(std::time::Duration::from_secs(ago));
        format!(
            " <small class=\"faint\">(last at: {}, {ago} ago)</small>",
            escape(&exact(last))
        )
    })
}

pub(super) fn failed(snapshot: &Snapshot) -> Table {
    let mut table = Table::new([
        Column::text("Image Stream"),
        Column::text("Error"),
        Column::text("Build log"),
        Column::number("Duration"),
        Column::text("Last attempt"),
        Column::text("Why"),
    ])
    .when_empty(empty("No stream's last build failed.", ""));
    for result in failures(snapshot) {
        let error = result.error().unwrap_or_default();
        let phase = result.outcome.as_ref().err().and_then(|failure| failure.phase);
        let phase = phase.map(|phase| format!(" <span class=\"faint\">({})</span>", phase.text()));
        table.push([
            links::stream_cell(&result.stream, is_auto_rebuilt(snapshot, &result.stream)),
            Cell::html(
                format!(
                    "<span class=\"state failed\" aria-hidden=\"true\">■</span> {}{}",
                    escape(error),
                    phase.unwrap_or_default()
                ),
                error,
            ),
            last_log(&result.stream),
            Cell::duration(result.duration()),
            Cell::time(timestamp(result.finished_at)),
            Cell::text(result.why.to_string()),
        ]);
    }
    table
}

pub(super) fn good(shared: &Shared, snapshot: &Snapshot) -> Table {
    let server = &shared.options.presentation_image_server;
    let mut table = Table::new([
        Column::text("Image Stream"),
        Column::text("Name"),
        Column::text("Build log"),
        Column::number("Duration"),
        Column::text("Age"),
        Column::text("Why"),
    ])
    .when_empty(empty(
        "No build has gone well since the start.",
        "Ask for one: <code>builder-tool build-image STREAM</code>",
    ));
    for last in snapshot.results.values() {
        let result = &last.result;
        let Ok(built) = &result.outcome else { continue };
        table.push([
            links::stream_cell(&result.stream, is_auto_rebuilt(snapshot, &result.stream)),
            if built.name.is_empty() {
                Cell::text("handed back to who asked")
            } else {
                Cell::html(
                    links::anchor(&links::image(server, &built.name), &built.name),
                    built.name.clone(),
                )
            },
            last_log(&result.stream),
            Cell::duration(result.duration()),
            Cell::time(timestamp(result.finished_at)),
            Cell::text(result.why.to_string()),
        ]);
    }
    table
}
