//! Getting an image into a directory that does not exist yet.

use super::super::scratch::Home;
use super::super::stage::{Stage, Turn};
use super::super::stock::BASE;
use super::homes::Homes;
use anyhow::Context;
use std::ffi::OsStr;

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    let homes = Homes::make(stage, work)?;
    for turn in stage.turns() {
        one(work, stage, homes.of(turn.pair.server)?, turn)
            .with_context(|| format!("{work}, {}", turn.pair))?;
    }
    Ok(())
}

/// A server of its own each time. What is read for the first time since its start may have to be verified: that is the
/// first figure; from then on it is known, which is the second.
fn one(work: &'static str, stage: &mut Stage, home: &Home, turn: Turn) -> anyhow::Result<()> {
    let server = stage.server(turn.pair.server, home)?;
    let tool = stage.tool(turn.pair.client, &server)?;
    let get = || {
        let target = stage.scratch.fresh("got");
        stage.settle()?;
        tool.run::<&OsStr>(&["get".as_ref(), BASE.as_ref(), target.as_os_str()])
    };
    let first = get()?;
    let again = get()?;
    server.stop()?;
    stage.record(work, "first since the server's start", turn, &first);
    stage.record(work, "again", turn, &again);
    Ok(())
}
