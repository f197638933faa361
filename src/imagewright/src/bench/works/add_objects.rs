//! Object throughput from clients.

use super::super::figures::Unit;
use super::super::load::{self, Batch};
use super::super::stage::{Stage, megabytes, turns};
use super::homes::Servers;
use anyhow::Context;

/// Clients at the same time.
const CLIENTS: [(usize, &str); 2] = [(1, "1 client"), (8, "8 clients")];

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    let servers = Servers::start(stage, work)?;
    for (clients, name) in CLIENTS {
        for turn in turns(stage.rounds, &stage.same()) {
            let server = servers.of(turn.pair.server)?;
            // Other objects each time, the same ones for all sides.
            let seed = u64::from(turn.round) * 100 + clients as u64;
            let batch = Batch::new(&stage.stock()?.objects, seed)?;
            stage.settle()?;
            let before = server.cpu_time()?;
            let target = stage.target(server);
            let rate = stage
                .runtime
                .block_on(load::add_objects(&target, clients, batch))
                .with_context(|| format!("{work}, {}: {}", turn.pair, server.log_tail()))?;
            let cpu = server.cpu_time()?.saturating_sub(before);
            let figures = &mut stage.figures;
            figures.record(work, name, Unit::MegabytesPerSecond, turn.pair, rate);
            let name_cpu = format!("{name}, server CPU");
            figures.record(work, &name_cpu, Unit::Seconds, turn.pair, cpu.as_secs_f64());
            turn.tell(stage.rounds, name, &format!("{rate:.0} MB/s"));
        }
    }
    for pair in stage.same() {
        let peak = megabytes(servers.of(pair.server)?.peak_bytes()?);
        stage
            .figures
            .record(work, "server peak memory", Unit::Megabytes, pair, peak);
    }
    servers.stop()
}
