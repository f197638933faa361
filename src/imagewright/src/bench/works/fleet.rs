//! A simulated fleet.

use super::super::figures::Unit;
use super::super::load::{self, Fleet};
use super::super::stage::{Stage, megabytes, turns};
use super::homes::Servers;
use anyhow::Context;

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    let servers = Servers::start(stage, work)?;
    let fleet = Fleet::new(&stage.stock()?.objects, stage.fleet);
    // Once without the clock: the servers know their objects from then on.
    for pair in stage.same() {
        let target = stage.target(servers.of(pair.server)?);
        stage.runtime.block_on(load::fleet(&target, &fleet))?;
    }
    for turn in turns(stage.rounds, &stage.same()) {
        let server = servers.of(turn.pair.server)?;
        let before = server.cpu_time()?;
        let target = stage.target(server);
        let took = stage
            .runtime
            .block_on(load::fleet(&target, &fleet))
            .with_context(|| format!("{work}, {}: {}", turn.pair, server.log_tail()))?;
        let cpu = server.cpu_time()?.saturating_sub(before);
        for (name, unit, value) in [
            (
                "half of the machines within",
                Unit::Milliseconds,
                took.p50_milliseconds,
            ),
            (
                "99 % of the machines within",
                Unit::Milliseconds,
                took.p99_milliseconds,
            ),
            ("all machines", Unit::Seconds, took.total_seconds),
            ("all machines, server CPU", Unit::Seconds, cpu.as_secs_f64()),
        ] {
            stage.figures.record(work, name, unit, turn.pair, value);
        }
        turn.tell(stage.rounds, "fleet", &format!("{:.2} s", took.total_seconds));
    }
    for pair in stage.same() {
        let peak = megabytes(servers.of(pair.server)?.peak_bytes()?);
        stage
            .figures
            .record(work, "server peak memory", Unit::Megabytes, pair, peak);
    }
    servers.stop()
}
