//! What people type: short commands on a server with two images.

use super::super::figures::Unit;
use super::super::stage::{Stage, Turn, turns};
use super::super::stock::{BASE, OTHER};
use super::super::tool::Cost;
use super::homes::Servers;
use anyhow::Context;
use std::time::Duration;

/// What `diff` hands the two listings to; it compares nothing, so that only the tool is measured.
const NO_DIFF_TOOL: &str = "true";

/// They are short: each round has several runs.
const RUNS_PER_TURN: u32 = 4;

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    let servers = Servers::start(stage, work)?;
    let commands: [(&str, &[&str]); 4] = [
        ("list (2 images)", &["list"]),
        ("check", &["check", BASE]),
        ("show", &["show", BASE]),
        ("diff", &["diff", NO_DIFF_TOOL, BASE, OTHER]),
    ];
    for (name, arguments) in commands {
        for turn in turns(stage.rounds, &stage.same()) {
            for _ in 0..RUNS_PER_TURN {
                let tool = stage.tool(turn.pair.client, servers.of(turn.pair.server)?)?;
                let cost = tool
                    .run(arguments)
                    .with_context(|| format!("{name}, {}", turn.pair))?;
                record(work, stage, name, turn, &cost);
            }
        }
    }
    servers.stop()
}

fn record(work: &'static str, stage: &mut Stage, name: &str, turn: Turn, cost: &Cost) {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let time = milliseconds(cost.time);
    let name_cpu = format!("{name}, client CPU");
    let figures = &mut stage.figures;
    figures.record(work, name, Unit::Milliseconds, turn.pair, time);
    figures.record(
        work,
        &name_cpu,
        Unit::Milliseconds,
        turn.pair,
        milliseconds(cost.client_cpu),
    );
    turn.tell(stage.rounds, name, &format!("{time:.0} ms"));
}
