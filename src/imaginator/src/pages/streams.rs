//! `/showImageStreams`: all streams, how they are, when they are rebuilt next.

use std::time::SystemTime;

use super::context::{Context, timestamp};
use super::{links, state_word};
use actix_web::HttpResponse;
use actors::stream_scheduler::Snapshot;
use front::page::{Cell, Column, Page, Table, empty};
use recipe::ManifestLocation;

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let snapshot = context.shared.scheduler.snapshot();
    let current = context.shared.configuration.current();
    let mut table = Table::new([
        Column::text("Image Stream"),
        Column::text("State"),
        Column::text("Last attempt"),
        Column::text("Next rebuild"),
        Column::text("ManifestUrl"),
        Column::text("ManifestDirectory"),
        Column::text("Expanded ManifestDirectory"),
    ])
    .text_columns([0])
    .when_empty(empty(
        "No image streams are configured.",
        "Bootstrap streams come from <code>BootstrapStreams</code> of the main configuration, others from <code>ImageStreamsUrl</code>.",
    ));
    let user: std::collections::BTreeMap<&str, _> = current.streams.iter().collect();
    let names = current.configuration.bootstrap_streams.keys().map(String::as_str);
    let names: std::collections::BTreeSet<&str> = names.chain(user.keys().copied()).collect();
    for name in names {
        let outcome = state_word::of_stream(&snapshot, name);
        let mut row = vec![
            links::stream_cell(name, is_auto_rebuilt(&snapshot, name)),
            Cell::html(outcome.html(), outcome.word()),
            Cell::time(last_attempt(&snapshot, name).and_then(timestamp)),
            Cell::time(next_rebuild(&snapshot, name).and_then(timestamp)),
        ];
        match user.get(name) {
            Some(stream) if !current.configuration.bootstrap_streams.contains_key(name) => {
                let expanded = ManifestLocation::without_secrets(name, stream);
                row.extend([
                    Cell::text(stream.manifest_url.clone()),
                    Cell::text(stream.manifest_directory.clone()),
                    Cell::text(expanded.directory),
                ]);
            }
            _ => row.push(Cell::html("<span class=\"faint\">bootstrap</span>", "")),
        }
        table.push(row);
    }
    let patterns: String = current
        .streams
        .patterns()
        .map(|(pattern, _)| format!("<li><code>{}</code></li>", front::page::escape(pattern)))
        .collect();
    let after = if patterns.is_empty() {
        String::new()
    } else {
        format!(
            "<h2>Patterns</h2><p>Streams of these names are there as soon as somebody asks for them.</p><ul>{patterns}</ul>"
        )
    };
    let page = Page::new(context.site, "image streams")
        .crumb("/showImageStreams", "streams")
        .command("curl 'http://HOST:PORT/showImageStreams?output=text'");
    table.respond_with(context.query, page, "", &after)
}

/// Whether a stream is rebuilt by itself.
pub(super) fn is_auto_rebuilt(snapshot: &Snapshot, stream: &str) -> bool {
    snapshot.auto.streams.iter().any(|name| name == stream)
}

/// When a stream is rebuilt by itself the next time, if it is.
pub(super) fn next_rebuild(snapshot: &Snapshot, stream: &str) -> Option<SystemTime> {
    if !is_auto_rebuilt(snapshot, stream) {
        return None;
    }
    let auto = &snapshot.auto;
    let not_before = [
        auto.disabled_until,
        auto.backing_off.get(stream).map(|pause| pause.until),
    ];
    not_before.into_iter().flatten().chain([auto.next_at?]).max()
}

/// When the last build of a stream ended, or began if it still runs.
pub(super) fn last_attempt(snapshot: &Snapshot, stream: &str) -> Option<SystemTime> {
    let last = snapshot.results.get(stream).map(|last| last.result.finished_at);
    last.or_else(|| {
        let entry = snapshot.histories.get(stream)?.last()?;
        entry.started_at.checked_add(entry.duration)
    })
}
