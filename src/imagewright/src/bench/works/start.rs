//! Start-up until images are served, by their number.
//!
//! One store grows from the smallest number to the largest; both sides use it, one after the other. What a server keeps
//! there to start faster next time is removed before every "first" start.

use super::super::figures::Unit;
use super::super::scratch::Home;
use super::super::server::Server;
use super::super::side::Side;
use super::super::stage::{Stage, Turn, megabytes, turns};
use super::super::tool::Cost;
use super::super::variants;
use anyhow::{Context, ensure};
use image_client::ImageServer;
use std::path::Path;
use std::time::Duration;

/// Our own files in both roots begin so; the other implementation has none.
const OWN_FILES: &str = ".imagewright";
/// With so many images and more, fewer rounds do: they take long, and vary less.
const MANY_IMAGES: u32 = 1_000;
const ROUNDS_WITH_MANY: u32 = 3;
/// With still more.
const VERY_MANY_IMAGES: u32 = 10_000;
const ROUNDS_WITH_VERY_MANY: u32 = 2;

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    // The largest store of all needs the room. Making it takes so long that the removal is over by then.
    stage.scratch.remove_used()?;
    let home = stage.stock()?.home_without_images(&stage.scratch, work)?;
    let mut present = 0;
    for images in stage.images.clone() {
        eprintln!("  making images up to {images}");
        variants::fill(&stage.scratch, stage.stock()?, &home, present..images)?;
        present = images;
        stage.settle()?;
        let mut pairs = stage.same();
        pairs.retain(|pair| pair.server == Side::Ours || images <= stage.peer_images_max);
        for turn in turns(rounds(stage.rounds, images), &pairs) {
            one(work, stage, &home, images, turn)
                .with_context(|| format!("{work} with {images} images, {}", turn.pair))?;
        }
    }
    Ok(())
}

fn rounds(rounds: u32, images: u32) -> u32 {
    match images {
        VERY_MANY_IMAGES.. => rounds.min(ROUNDS_WITH_VERY_MANY),
        MANY_IMAGES.. => rounds.min(ROUNDS_WITH_MANY),
        _ => rounds,
    }
}

fn one(work: &'static str, stage: &mut Stage, home: &Home, images: u32, turn: Turn) -> anyhow::Result<()> {
    for directory in [&home.images, &home.objects] {
        remove_own_files(directory)?;
    }
    let first = start(stage, home, images, turn.pair.server)?;
    record(work, stage, &format!("{}, first", count(images)), turn, &first);
    // The peer keeps nothing for the next time: one start stands for both.
    let again = if turn.pair.server == Side::Ours {
        start(stage, home, images, turn.pair.server)?
    } else {
        first
    };
    record(work, stage, &format!("{}, again", count(images)), turn, &again);
    let name = format!("list of {}", count(images));
    stage.figures.record(
        work,
        &name,
        Unit::Seconds,
        turn.pair,
        again.list.time.as_secs_f64(),
    );
    Ok(())
}

fn count(images: u32) -> String {
    match images {
        1 => "1 image".to_owned(),
        _ => format!("{images} images"),
    }
}

/// What one start took.
struct Started {
    time: Duration,
    cpu: Duration,
    peak_bytes: u64,
    list: Cost,
}

/// Serving means: it lists as many images as there are, and gives the last one with its tree.
fn start(stage: &Stage, home: &Home, images: u32, side: Side) -> anyhow::Result<Started> {
    let mut server = stage.server(side, home)?;
    let target = stage.target(&server);
    wait_for_images(stage, &mut server, images)?;
    let time = server.age();
    let cpu = server.cpu_time()?;
    let peak_bytes = server.peak_bytes()?;
    let last = variants::name(images - 1);
    let image = stage.runtime.block_on(async {
        let mut server = ImageServer::new(target.connect().await?);
        anyhow::Ok(server.get_image(&last, Duration::ZERO).await?)
    })?;
    ensure!(
        image.is_some_and(|image| image.file_system.is_some()),
        "it lists {last}, but does not give it; its log:\n{}",
        server.log_tail()
    );
    let list = stage.tool(side, &server)?.run(&["list"])?;
    server.stop()?;
    Ok(Started {
        time,
        cpu,
        peak_bytes,
        list,
    })
}

/// Serving means that it lists as many images as there are, over SRPC.
pub(super) fn wait_for_images(stage: &Stage, server: &mut Server, images: u32) -> anyhow::Result<()> {
    let target = stage.target(server);
    server.wait_until(|_| {
        stage.runtime.block_on(async {
            let mut server = ImageServer::new(target.connect().await?);
            let listed = server.list_images().await?.len();
            ensure!(
                listed <= images as usize,
                "it lists {listed} images, there are {images}"
            );
            Ok(listed == images as usize)
        })
    })
}

fn record(work: &'static str, stage: &mut Stage, name: &str, turn: Turn, started: &Started) {
    let Turn { pair, .. } = turn;
    let mut put = |what: &str, unit: Unit, value: f64| {
        let name = format!("{name}{what}");
        stage.figures.record(work, &name, unit, pair, value);
    };
    put("", Unit::Seconds, started.time.as_secs_f64());
    put(", server CPU", Unit::Seconds, started.cpu.as_secs_f64());
    put(
        ", server peak memory",
        Unit::Megabytes,
        megabytes(started.peak_bytes),
    );
    turn.tell(
        stage.rounds,
        name,
        &format!("{:.2} s", started.time.as_secs_f64()),
    );
}

/// So that a start is like the first on directories of another implementation.
pub(super) fn remove_own_files(directory: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(OWN_FILES) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
