//! What is being built, and what waits.

use std::time::SystemTime;

use crate::pages::build::progress;
use crate::pages::context::{since, timestamp};
use crate::pages::links;
use crate::pages::streams::is_auto_rebuilt;
use crate::state::Shared;
use actors::build_runner::Build;
use actors::stream_scheduler::Snapshot;
use front::page::{Cell, Column, Table, empty, escape};

/// Builds that run, in the order they began, and below each the sources that are built within it.
pub(super) fn building(shared: &Shared, snapshot: &Snapshot) -> Table {
    let mut table = Table::new([
        Column::text("Image Stream"),
        Column::text("Build log"),
        Column::text("Progress"),
        Column::number("Duration"),
        Column::text("Why"),
        Column::text("Asked by"),
    ])
    .when_empty(empty("Nothing is being built.", ""));
    let now = SystemTime::now();
    for build in &snapshot.running {
        let started = build.started_at().unwrap_or(build.queued_at);
        let phase = build.phase().map(|at| at.phase);
        let words = phase.map_or("beginning", builder::Phase::text);
        table.push([
            links::stream_cell(build.stream(), is_auto_rebuilt(snapshot, build.stream())),
            log(build, build.stream()),
            Cell::html(progress(shared, build.stream(), started, phase), words),
            Cell::duration(std::time::Duration::from_secs(since(started, now).as_secs())),
            Cell::text(build.order.why.to_string()),
            Cell::text(requesters(build)),
        ]);
        for (phase, started) in build.sources() {
            table.push([
                links::stream_cell(&phase.stream, is_auto_rebuilt(snapshot, &phase.stream)),
                log(build, &phase.stream),
                Cell::html(
                    progress(shared, &phase.stream, started, Some(phase.phase)),
                    phase.phase.text(),
                ),
                Cell::duration(std::time::Duration::from_secs(since(started, now).as_secs())),
                Cell::text(format!("source of {}", build.stream())),
                Cell::text(requesters(build)),
            ]);
        }
    }
    table
}

/// The page of the build; the log of the stream that runs, as the original links it.
fn log(build: &Build, stream: &str) -> Cell {
    let current = format!("{}#bottom", links::of_name("showCurrentBuildLog", stream));
    let html = format!(
        "{} {}",
        links::anchor(&links::build(build.number), "page"),
        links::anchor(&current, "log")
    );
    Cell::html(html, links::build(build.number))
}

/// The page of a build; its path for programs.
fn page(build: &Build) -> Cell {
    let link = links::build(build.number);
    Cell::html(links::anchor(&link, "page"), link)
}

fn requesters(build: &Build) -> String {
    let mut all = vec![if build.order.requester.is_empty() {
        "imaginator".to_owned()
    } else {
        build.order.requester.clone()
    }];
    all.extend(build.joined_by());
    all.join(", ")
}

/// Builds that wait, in the order of their turns, and what for.
pub(super) fn queue(snapshot: &Snapshot) -> Table {
    let mut table = Table::new([
        Column::number("Turn"),
        Column::text("Image Stream"),
        Column::text("Build"),
        Column::text("Waits for"),
        Column::text("Asked"),
        Column::text("Why"),
        Column::text("Asked by"),
    ])
    .when_empty(empty("Nothing waits.", ""));
    for queued in &snapshot.queued {
        let build = &queued.build;
        table.push([
            Cell::count(queued.position as u64),
            links::stream_cell(build.stream(), is_auto_rebuilt(snapshot, build.stream())),
            page(build),
            Cell::text(queued.waits_for.to_string()),
            Cell::time(timestamp(build.queued_at)),
            Cell::text(build.order.why.to_string()),
            Cell::text(requesters(build)),
        ]);
    }
    table
}

/// Builds that were told to end, and have not.
pub(super) fn stuck(snapshot: &Snapshot) -> Table {
    let mut table = Table::new([
        Column::text("Image Stream"),
        Column::text("Build"),
        Column::text("Told to end because"),
        Column::text("Began"),
    ]);
    for build in &snapshot.stuck {
        table.push([
            links::stream_cell(build.stream(), false),
            page(build),
            Cell::html(escape(&build.cancelled_because().unwrap_or_default()), ""),
            Cell::time(build.started_at().and_then(timestamp)),
        ]);
    }
    table
}
