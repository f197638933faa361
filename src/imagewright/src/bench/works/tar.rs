//! Writing an image as an archive to a file.

use super::super::stage::{Stage, Turn};
use super::super::stock::BASE;
use super::super::tool::Cost;
use super::homes::Servers;
use anyhow::Context;
use std::ffi::OsStr;

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    let servers = Servers::start(stage, work)?;
    // Once without the clock: the servers know their objects from then on.
    for pair in stage.same() {
        archive(stage, &servers, Turn { round: 0, pair })?;
    }
    for turn in stage.turns() {
        let cost = archive(stage, &servers, turn).with_context(|| format!("{work}, {}", turn.pair))?;
        stage.record(work, "to a file", turn, &cost);
    }
    servers.stop()
}

fn archive(stage: &Stage, servers: &Servers, turn: Turn) -> anyhow::Result<Cost> {
    let target = stage.scratch.fresh("archive");
    stage.settle()?;
    stage
        .tool(turn.pair.client, servers.of(turn.pair.server)?)?
        .run::<&OsStr>(&["tar".as_ref(), BASE.as_ref(), target.as_os_str()])
}
