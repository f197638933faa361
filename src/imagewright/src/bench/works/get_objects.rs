//! Object throughput to clients.

use super::super::figures::Unit;
use super::super::load;
use super::super::scratch::Home;
use super::super::stage::{Stage, Turn, megabytes, turns};
use super::homes::Homes;
use anyhow::Context;

/// Clients at the same time, in that order; the first read of a fresh server has a figure of its own.
const CLIENTS: [(&str, usize); 3] = [
    ("first since the server's start, 1 client", 1),
    ("again, 1 client", 1),
    ("again, 8 clients", 8),
];

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    let homes = Homes::make(stage, work)?;
    for turn in turns(stage.rounds, &stage.same()) {
        one(work, stage, homes.of(turn.pair.server)?, turn)
            .with_context(|| format!("{work}, {}", turn.pair))?;
    }
    Ok(())
}

fn one(work: &'static str, stage: &mut Stage, home: &Home, turn: Turn) -> anyhow::Result<()> {
    let server = stage.server(turn.pair.server, home)?;
    for (name, clients) in CLIENTS {
        let target = stage.target(&server);
        let before = server.cpu_time()?;
        let rate = stage
            .runtime
            .block_on(load::get_objects(&target, clients, &stage.stock()?.objects))
            .with_context(|| server.log_tail())?;
        let cpu = server.cpu_time()?.saturating_sub(before);
        let gigabytes = stage.stock()?.bytes() as f64 * clients as f64 / 1e9;
        let figures = &mut stage.figures;
        figures.record(work, name, Unit::MegabytesPerSecond, turn.pair, rate);
        let name_cpu = format!("{name}, server CPU per GB");
        figures.record(
            work,
            &name_cpu,
            Unit::Seconds,
            turn.pair,
            cpu.as_secs_f64() / gigabytes,
        );
        turn.tell(stage.rounds, name, &format!("{rate:.0} MB/s"));
    }
    let peak = megabytes(server.peak_bytes()?);
    stage
        .figures
        .record(work, "server peak memory", Unit::Megabytes, turn.pair, peak);
    server.stop()
}
