//! Adding a tree: to an empty server, where everything has to be sent and stored, and again, where nothing has.

use super::super::figures::Unit;
use super::super::stage::{Stage, Turn, megabytes};
use anyhow::Context;
use std::ffi::OsStr;

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    for turn in stage.turns() {
        one(work, stage, turn).with_context(|| format!("{work}, {}", turn.pair))?;
    }
    Ok(())
}

/// Each time a new server on new directories: removing the last ones would slow this one down.
fn one(work: &'static str, stage: &mut Stage, turn: Turn) -> anyhow::Result<()> {
    let home = stage.scratch.fresh_home("add")?;
    let filter = stage.file("filter", "")?;
    let triggers = stage.file("triggers", "[]\n")?;
    let server = stage.server(turn.pair.server, &home)?;
    let tool = stage.tool(turn.pair.client, &server)?;
    let add = |name: &str| {
        stage.settle()?;
        let arguments = [
            "add".as_ref(),
            name.as_ref(),
            stage.tree.as_os_str(),
            filter.as_os_str(),
            triggers.as_os_str(),
        ];
        tool.run::<&OsStr>(&arguments)
    };
    tool.run(&["mkdir", "bench"])?;
    let cold = add("bench/one")?;
    let peak_cold = server.peak_bytes()?;
    let unchanged = add("bench/two")?;
    let peak_after = server.peak_bytes()?;
    server.stop()?;
    stage.record(work, "empty server", turn, &cold);
    stage.record(work, "all objects there", turn, &unchanged);
    for (name, bytes) in [
        ("server peak memory, first add", peak_cold),
        ("server peak memory, both adds", peak_after),
    ] {
        stage
            .figures
            .record(work, name, Unit::Megabytes, turn.pair, megabytes(bytes));
    }
    Ok(())
}
