//! Small calls per second.

use super::super::figures::Unit;
use super::super::load::{self, Call};
use super::super::stage::{Stage, turns};
use super::homes::Servers;
use anyhow::Context;

/// Connections at the same time.
const CONNECTIONS: [(usize, &str); 2] = [(1, "1 connection"), (16, "16 connections")];

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    let servers = Servers::start(stage, work)?;
    for (call, call_name) in [(Call::CheckImage, "CheckImage"), (Call::Empty, "empty call")] {
        for (connections, connections_name) in CONNECTIONS {
            for turn in turns(stage.rounds, &stage.same()) {
                let server = servers.of(turn.pair.server)?;
                let before = server.cpu_time()?;
                let target = stage.target(server);
                let rate = stage
                    .runtime
                    .block_on(load::calls(&target, connections, call, stage.call_time))
                    .with_context(|| format!("{call_name}, {}: {}", turn.pair, server.log_tail()))?;
                let cpu = server.cpu_time()?.saturating_sub(before);
                let name = format!("{call_name}, {connections_name}");
                let made = rate.per_second * stage.call_time.as_secs_f64();
                for (what, unit, value) in [
                    ("", Unit::PerSecond, rate.per_second),
                    (", 99 % within", Unit::Milliseconds, rate.p99_milliseconds),
                    (
                        ", server CPU per 1,000",
                        Unit::Milliseconds,
                        cpu.as_secs_f64() * 1e6 / made.max(1.0),
                    ),
                ] {
                    stage
                        .figures
                        .record(work, &format!("{name}{what}"), unit, turn.pair, value);
                }
                turn.tell(stage.rounds, &name, &format!("{:.0}/s", rate.per_second));
            }
        }
    }
    servers.stop()
}
