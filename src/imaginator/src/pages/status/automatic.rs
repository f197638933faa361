//! The automatic rebuilds: the round that runs, the next one, what became of each stream, who pauses.

use crate::pages::context::{time, timestamp};
use crate::pages::links;
use crate::pages::streams::next_rebuild;
use actors::stream_scheduler::{AutoStatus, CycleState, CycleStatus, Snapshot};
use front::page::{Cell, Column, Table, empty, escape};

pub(super) fn html(snapshot: &Snapshot) -> String {
    let auto = &snapshot.auto;
    format!("<p>{}</p>{}{}", line(auto), cycles(auto), table(snapshot).html())
}

fn line(auto: &AutoStatus) -> String {
    let every = match auto.interval {
        Some(interval) => format!("A round every {}", human::duration(interval)),
        None => "Only when somebody starts them".to_owned(),
    };
    let next = auto
        .next_at
        .map_or_else(String::new, |next| format!(", the next {}", time(next)));
    format!("{every}{next}.")
}

fn cycles(auto: &AutoStatus) -> String {
    let mut html = String::new();
    if let Some(cycle) = &auto.cycle {
        html += &format!(
            "<p>{} is running, since {}{}.</p>",
            number(cycle),
            time(cycle.started_at),
            by(cycle)
        );
    }
    if let Some(cycle) = &auto.last_cycle {
        let finished = cycle.finished_at.map(time).unwrap_or_default();
        html += &format!("<p>{} ended {finished}{}.</p>", number(cycle), by(cycle));
    }
    html
}

fn number(cycle: &CycleStatus) -> String {
    format!("Round {}", cycle.number)
}

fn by(cycle: &CycleStatus) -> String {
    let by = cycle
        .started_by
        .as_ref()
        .map(|user| format!(", started by {}", escape(user)));
    let only = cycle
        .extends_only
        .as_ref()
        .map(|why| format!(", and extends images only, because {}", escape(why)));
    by.unwrap_or_default() + &only.unwrap_or_default()
}

/// A row for each stream that is rebuilt, in their order.
pub(super) fn table(snapshot: &Snapshot) -> Table {
    let mut table = Table::new([
        Column::text("Image Stream"),
        Column::text("Next rebuild"),
        Column::text("In this or the last round"),
        Column::text("Pauses"),
    ])
    .when_empty(empty(
        "No stream is rebuilt by itself.",
        "List some in <code>ImageStreamsToAutoRebuild</code> of the main configuration.",
    ));
    let auto = &snapshot.auto;
    let state = |stream: &str| {
        let cycles = [&auto.cycle, &auto.last_cycle];
        cycles
            .into_iter()
            .flatten()
            .find_map(|cycle| cycle.streams.get(stream))
    };
    for stream in auto.streams.iter() {
        let pause = auto
            .backing_off
            .get(stream)
            .map(|pause| format!("after {} failures, until {}", pause.failures, time(pause.until)));
        let words = state(stream).map(words).unwrap_or_default();
        table.push([
            links::stream_cell(stream, true),
            Cell::time(next_rebuild(snapshot, stream).and_then(timestamp)),
            Cell::html(state(stream).map(html_words).unwrap_or_default(), words),
            Cell::html(
                pause.unwrap_or_default(),
                auto.backing_off
                    .get(stream)
                    .map_or_else(String::new, |pause| pause.failures.to_string()),
            ),
        ]);
    }
    table
}

fn words(state: &CycleState) -> String {
    match state {
        CycleState::Waiting { on } => format!("waits for {}", on.join(", ")),
        CycleState::ServerAway { reason } => {
            format!("waits for the image server, then builds again: {reason}")
        }
        CycleState::Building { number } => format!("build {number}"),
        CycleState::Built => "built".to_owned(),
        CycleState::Extending { reason } => format!("is being extended: {reason}"),
        CycleState::Extended { reason } => format!("extended: {reason}"),
        CycleState::Failed { error } => format!("failed: {error}"),
    }
}

fn html_words(state: &CycleState) -> String {
    match state {
        CycleState::Building { number } => links::anchor(&links::build(*number), &words(state)),
        other => escape(&words(other)),
    }
}
