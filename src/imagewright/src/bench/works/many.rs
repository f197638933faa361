//! A store of very many small images, a hundred in each directory: what an operator of years of builds has.
//!
//! Made like the store of `start`, of a tree of a dozen files: the number of images is what costs here, not their size.

use super::super::figures::Unit;
use super::super::scratch::Home;
use super::super::server::Server;
use super::super::side::Side;
use super::super::stage::{Stage, Turn, megabytes, turns};
use super::super::stock::Stock;
use super::super::{http, synthetic_tree, variants};
use super::start::{remove_own_files, wait_for_images};
use anyhow::Context;
use std::time::Duration;

/// Starting takes long enough for one figure to mean something.
const ROUNDS: u32 = 3;
/// Each page and list is asked for so often per round.
const REPEATS: u32 = 5;
/// A directory somewhere among the first: every store has it.
const DIRECTORY: &str = "streams/stream-0000";

/// Pages, by what they are called in the report.
const PAGES: [(&str, &str); 7] = [
    ("status page", "/"),
    ("page of all directories", "/listDirectories"),
    (
        "page of a directory",
        "/listImages?directoryName=streams/stream-0000",
    ),
    ("page of all images", "/listImages"),
    ("names of all images as text", "/listImages?output=text"),
    ("search for a directory's images", "/search?q=stream-0000"),
    ("page of an image", "/showImage?streams/stream-0000/00"),
];

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    stage.scratch.remove_used()?;
    let tree = stage.scratch.path().join("small-tree");
    synthetic_tree::make_small(&tree)?;
    let stock = Stock::make(&tree, &stage.scratch)?;
    let home = stock.home_without_images(&stage.scratch, work)?;
    let images = stage.many;
    eprintln!("  making {images} small images");
    variants::fill(&stage.scratch, &stock, &home, 0..images)?;
    stage.settle()?;
    let mut pairs = stage.same();
    pairs.retain(|pair| pair.server == Side::Ours || images <= stage.peer_images_max);
    for turn in turns(stage.rounds.min(ROUNDS), &pairs) {
        round(work, stage, &home, turn).with_context(|| format!("{work}, {}", turn.pair))?;
    }
    Ok(())
}

fn round(work: &'static str, stage: &mut Stage, home: &Home, turn: Turn) -> anyhow::Result<()> {
    for directory in [&home.images, &home.objects] {
        remove_own_files(directory)?;
    }
    start(work, stage, home, turn, "first start")?.stop()?;
    let server = start(work, stage, home, turn, "start again")?;
    lists(work, stage, &server, turn)?;
    if turn.pair.server == Side::Ours {
        pages(work, stage, &server, turn)?;
    }
    let used = megabytes(server.resident_bytes()?);
    stage.figures.record(
        work,
        "server memory after all this",
        Unit::Megabytes,
        turn.pair,
        used,
    );
    server.stop()
}

fn start(
    work: &'static str,
    stage: &mut Stage,
    home: &Home,
    turn: Turn,
    what: &str,
) -> anyhow::Result<Server> {
    let mut server = stage.server(turn.pair.server, home)?;
    wait_for_images(stage, &mut server, stage.many)?;
    let time = server.age().as_secs_f64();
    turn.tell(stage.rounds.min(ROUNDS), what, &format!("{time:.2} s"));
    let memory = [
        ("server memory", server.resident_bytes()?),
        ("server peak memory", server.peak_bytes()?),
    ];
    let figures = &mut stage.figures;
    figures.record(work, what, Unit::Seconds, turn.pair, time);
    for (name, bytes) in memory {
        let name = format!("{what}, {name}");
        figures.record(work, &name, Unit::Megabytes, turn.pair, megabytes(bytes));
    }
    Ok(server)
}

fn lists(work: &'static str, stage: &mut Stage, server: &Server, turn: Turn) -> anyhow::Result<()> {
    let commands: [(&str, &[&str]); 3] = [
        ("list", &["list"]),
        ("listdirs", &["listdirs"]),
        ("find-latest-image", &["find-latest-image", DIRECTORY]),
    ];
    for (name, arguments) in commands {
        for _ in 0..REPEATS {
            let cost = stage.tool(turn.pair.client, server)?.run(arguments)?;
            record(work, stage, &format!("imagetool {name}"), turn, cost.time);
        }
    }
    Ok(())
}

fn pages(work: &'static str, stage: &mut Stage, server: &Server, turn: Turn) -> anyhow::Result<()> {
    for (name, path) in PAGES {
        let mut bytes = 0;
        for _ in 0..REPEATS {
            let page = http::page(server.port, path)?;
            bytes = page.bytes;
            record(work, stage, name, turn, page.time);
        }
        turn.tell(stage.rounds.min(ROUNDS), name, &format!("{bytes} bytes"));
    }
    Ok(())
}

fn record(work: &'static str, stage: &mut Stage, name: &str, turn: Turn, time: Duration) {
    let milliseconds = time.as_secs_f64() * 1e3;
    let figures = &mut stage.figures;
    figures.record(work, name, Unit::Milliseconds, turn.pair, milliseconds);
}
