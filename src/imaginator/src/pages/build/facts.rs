//! What there is to say about a build: how it is, who asked, why, how long, which image came of it.

use std::time::{Duration, SystemTime};

use super::Subject;
use crate::pages::context::{since, time};
use crate::pages::links;
use crate::state::Shared;
use actors::build_runner::BuildState;
use actors::stream_scheduler::LastResult;
use builder::Phase;
use front::page::{Cell, Column, Table, empty, escape};

/// The facts at the top of the page.
pub(super) fn state(shared: &Shared, subject: &Subject) -> String {
    let mut facts = Facts::default();
    facts.html("State", state_line(shared, subject));
    match subject {
        Subject::Live(build) => {
            let joined = build.joined_by();
            asked_by(
                &mut facts,
                &build.order.requester,
                &build.order.why.to_string(),
                &joined,
            );
            if !build.order.branch.is_empty() {
                facts.text("Branch", &build.order.branch);
            }
            facts.html("Asked", time(build.queued_at));
        }
        Subject::Last(LastResult { result, .. }) => {
            asked_by(
                &mut facts,
                &result.requester,
                &result.why.to_string(),
                &result.joined_by,
            );
        }
        Subject::Archived(build, _) => asked_by(&mut facts, &build.requester, &build.why, &[]),
    }
    let (started, finished) = subject.times();
    if let Some(started) = started {
        facts.html("Began", time(started));
    }
    if let Some(finished) = finished {
        facts.html("Ended", time(finished));
        if let Some(started) = started {
            facts.text("Took", &human::duration(since(started, finished)));
        }
    }
    result_of(&mut facts, shared, subject);
    if !subject.has_ended() {
        facts.text("Limits", &limits(shared));
    }
    facts.0 + "</dl>"
}

#[derive(Debug)]
struct Facts(String);

impl Default for Facts {
    fn default() -> Self {
        Self("<dl class=\"facts\">".to_owned())
    }
}

impl Facts {
    fn html(&mut self, name: &str, html: impl AsRef<str>) {
        self.0 += &format!("<dt>{name}</dt><dd>{}</dd>", html.as_ref());
    }

    fn text(&mut self, name: &str, text: &str) {
        self.html(name, escape(text));
    }
}

fn asked_by(facts: &mut Facts, requester: &str, why: &str, joined: &[String]) {
    facts.text(
        "Asked by",
        if requester.is_empty() {
            "the image builder itself"
        } else {
            requester
        },
    );
    if !joined.is_empty() {
        facts.text("Joined by", &joined.join(", "));
    }
    if !why.is_empty() {
        facts.text("Why", why);
    }
}

/// How it is: with the turn of what waits, and the time of what runs against the usual.
fn state_line(shared: &Shared, subject: &Subject) -> String {
    let mut line = subject.outcome().html();
    let Subject::Live(build) = subject else {
        return line;
    };
    let snapshot = shared.scheduler.snapshot();
    match build.state() {
        BuildState::Queued => {
            if let Some(queued) = snapshot
                .queued
                .iter()
                .find(|queued| queued.build.number == build.number)
            {
                line += &format!(
                    ", number {} in the queue: {}",
                    queued.position,
                    escape(&queued.waits_for.to_string())
                );
            }
        }
        BuildState::Running { started_at } => {
            line += &format!(
                ": {}",
                progress(
                    shared,
                    build.stream(),
                    started_at,
                    build.phase().map(|at| at.phase)
                )
            );
        }
        BuildState::Ended(_) => {}
    }
    if let Some(reason) = build.cancelled_because().filter(|_| !subject.has_ended()) {
        line += &format!("; <strong>is being cancelled: {}</strong>", escape(&reason));
    }
    line
}

/// Phase and time of a running build against what is usual.
pub(in crate::pages) fn progress(
    shared: &Shared,
    stream: &str,
    started_at: SystemTime,
    phase: Option<Phase>,
) -> String {
    let took = since(started_at, SystemTime::now());
    let phase = phase.map_or("beginning", Phase::text);
    let usual = shared.scheduler.snapshot().usual(stream);
    let against = usual.map(|usual| usual.whole).filter(|usual| !usual.is_zero());
    match against {
        Some(usual) => {
            let share = (took.as_secs_f64() / usual.as_secs_f64() * 100.0).min(100.0);
            format!(
                "{phase}, <progress max=\"100\" value=\"{share:.0}\">{share:.0}%</progress> {} of usually {}",
                human::duration(whole_seconds(took)),
                human::duration(whole_seconds(usual))
            )
        }
        None => format!("{phase}, for {}", human::duration(whole_seconds(took))),
    }
}

/// Without the digits nobody can read while they change; what is shorter stays as it is.
fn whole_seconds(duration: Duration) -> Duration {
    if duration.as_secs() < 10 {
        Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(0) / 100 * 100)
    } else {
        Duration::from_secs(duration.as_secs())
    }
}

fn result_of(facts: &mut Facts, shared: &Shared, subject: &Subject) {
    let server = &shared.options.presentation_image_server;
    if let Subject::Archived(build, _) = subject {
        if build.is_good() {
            facts.html(
                "Image",
                links::anchor(&links::image(server, &build.name), &build.name),
            );
        } else {
            facts.html("Error", error(&build.error));
        }
        return;
    }
    let Some(result) = subject.result() else { return };
    match &result.outcome {
        Ok(built) => {
            if !built.name.is_empty() {
                facts.html(
                    "Image",
                    links::anchor(&links::image(server, &built.name), &built.name),
                );
            }
            if !built.source_image.is_empty() {
                let link = links::image(server, &built.source_image);
                facts.html("Source image", links::anchor(&link, &built.source_image));
            }
            if !built.commit.is_empty() {
                facts.html("Commit", front::page::hash(&built.commit));
            }
        }
        Err(failure) => {
            facts.html("Error", error(&failure.text));
            if let Some(phase) = failure.phase {
                facts.text("Failed in", phase.text());
            }
            if let Some(needed) = &failure.needs {
                facts.html(
                    "Lacks",
                    links::anchor(&links::stream(&needed.stream), &needed.stream),
                );
            }
        }
    }
}

fn error(text: &str) -> String {
    format!("<strong class=\"failing\">{}</strong>", escape(text))
}

/// What a build may use, in words.
fn limits(shared: &Shared) -> String {
    let options = &shared.options;
    let bytes =
        |limit: Option<u64>, what: &str| limit.map(|limit| format!("{} of {what}", human::bytes(limit)));
    let mut limits: Vec<String> = [
        bytes(options.build_memory_bytes, "memory"),
        bytes(options.build_disk_bytes, "disk"),
    ]
    .into_iter()
    .flatten()
    .collect();
    limits.push(format!("{} processes", options.build_processes));
    limits.push(format!(
        "{} for its commands",
        human::duration(options.build_duration_most)
    ));
    limits.join(", ")
}

/// What was done when, against what is usual.
pub(in crate::pages) fn phases_table(shared: &Shared, subject: &Subject) -> String {
    let usual = shared.scheduler.snapshot().usual(subject.stream());
    let mut table = Table::new([
        Column::text("Phase"),
        Column::number("Time"),
        Column::number("Usual"),
        Column::text("Stream"),
    ])
    .when_empty(empty(
        if subject.has_ended() {
            "No phases are known of this build."
        } else {
            "Nothing was begun yet."
        },
        "",
    ));
    for row in subject.phases(SystemTime::now()) {
        let word = row.phase.text();
        let is_own = row.stream == subject.stream();
        let usual = usual
            .as_ref()
            .filter(|_| is_own)
            .and_then(|usual| usual.phases.get(&row.phase));
        table.push([
            if row.is_going_on {
                Cell::html(
                    format!("<b class=\"state building\"><span aria-hidden=\"true\">▶</span> {word}</b>"),
                    word,
                )
            } else {
                Cell::text(word)
            },
            Cell::duration(if row.is_going_on {
                whole_seconds(row.duration)
            } else {
                row.duration
            }),
            usual.map_or_else(Cell::empty, |usual| Cell::duration(*usual)),
            if is_own {
                Cell::empty()
            } else {
                Cell::text(row.stream)
            },
        ]);
    }
    table.html()
}
