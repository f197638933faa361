//! Building images: what an image builder takes for itself when scripts take next to nothing.

use super::super::builder::{BOOTSTRAP, Builder, TRIVIAL};
use super::super::figures::Unit;
use super::super::server::Server;
use super::super::side::Pair;
use super::super::stage::{Stage, turns};
use anyhow::Context;

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    if let Some(why) = why_not(stage)? {
        eprintln!("  not measured: {why}");
        return Ok(());
    }
    for turn in turns(stage.rounds, &stage.same()) {
        let home = stage.scratch.fresh_home(work)?;
        let images = stage.server(turn.pair.server, &home)?;
        let times = one(stage, turn.pair, &images).with_context(|| format!("{work}, {}", turn.pair))?;
        images.stop()?;
        let names = [
            "bootstrap by copying the tree",
            "first trivial build on it",
            "further trivial build",
        ];
        for (name, time) in names.into_iter().zip(times) {
            stage.figures.record(work, name, Unit::Seconds, turn.pair, time);
            turn.tell(stage.rounds, name, &format!("{time:.2} s"));
        }
    }
    Ok(())
}

/// Why it cannot be done here.
fn why_not(stage: &Stage) -> anyhow::Result<Option<&'static str>> {
    if stage.scratch.owner().is_none() {
        return Ok(Some("image builders run as root"));
    }
    if !stage.tree.join("bin/sh").exists() {
        return Ok(Some(
            "the tree has no /bin/sh to run scripts with: name a real one with --tree",
        ));
    }
    for pair in stage.same() {
        if stage.programs(pair.server)?.builder.is_none() {
            return Ok(Some(
                "imaginator and builder-tool are not beside the other programs",
            ));
        }
    }
    Ok(None)
}

/// Seconds of a bootstrap, of the first build after it and of one more.
fn one(stage: &Stage, pair: Pair, images: &Server) -> anyhow::Result<[f64; 3]> {
    let programs = stage
        .programs(pair.server)?
        .builder
        .as_ref()
        .context("no image builder")?;
    let builder = Builder::start(programs, &stage.credentials, &stage.scratch, &stage.tree, images)?;
    let mut times = [0.0; 3];
    for (time, stream) in times.iter_mut().zip([BOOTSTRAP, TRIVIAL, TRIVIAL]) {
        stage.settle()?;
        *time = builder.build(stream)?.as_secs_f64();
    }
    builder.stop()?;
    Ok(times)
}
