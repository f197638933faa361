//! A repository of images with a REST API: lists, single images, signatures, downloads, uploads.

use super::super::figures::Unit;
use super::super::load::http::{get, requests};
use super::super::process::{cpu_time, peak_bytes};
use super::super::repository::Repository;
use super::super::side::{Pair, Side};
use super::super::stage::{Stage, Turn, megabytes, turns};
use super::uploads::upload;
use anyhow::Context as _;
use std::time::Duration;

/// Connections at the same time.
const CONNECTIONS: usize = 8;

pub(super) fn run(work: &'static str, stage: &mut Stage) -> anyhow::Result<()> {
    if stage.programs(Side::Ours)?.imgapi.is_none() {
        eprintln!("  not measured: imgapi is not beside the other programs");
        return Ok(());
    }
    let mut repositories = vec![stage.repository()?];
    if let Some(given) = &stage.peer_repository {
        repositories.push(Repository::given(given)?);
    }
    let pairs: Vec<Pair> = repositories
        .iter()
        .map(|repository| Pair::both(repository.side))
        .collect();
    for turn in turns(stage.rounds, &pairs) {
        let repository = repositories
            .iter()
            .find(|repository| repository.side == turn.pair.server);
        let repository = repository.context("no such repository")?;
        one(work, stage, repository, turn).with_context(|| format!("{work}, {}", turn.pair))?;
    }
    Ok(())
}

fn one(work: &'static str, stage: &mut Stage, repository: &Repository, turn: Turn) -> anyhow::Result<()> {
    let (count, largest) = repository.images()?;
    let image = format!("/images/{largest}");
    let mut asked = vec![
        (format!("list of {count} images"), get("/images", "")),
        ("list, limit=20".to_owned(), get("/images?limit=20", "")),
        ("get one image".to_owned(), get(&image, "")),
        ("ping".to_owned(), get("/ping", "")),
    ];
    if let Some(headers) = repository.signed_headers()? {
        asked.push(("signed ping".to_owned(), get("/ping", &headers)));
    }
    for (name, request) in asked {
        let before = cpu(repository)?;
        let answers = requests(repository.address, CONNECTIONS, &request, stage.call_time)?;
        let name = format!("{name}, {CONNECTIONS} connections");
        stage
            .figures
            .record(work, &name, Unit::PerSecond, turn.pair, answers.per_second);
        if let (Some(before), Some(after)) = (before, cpu(repository)?) {
            let milliseconds = after.saturating_sub(before).as_secs_f64() * 1e6 / answers.count as f64;
            let name = format!("{name}, server CPU per 1,000");
            stage
                .figures
                .record(work, &name, Unit::Milliseconds, turn.pair, milliseconds);
        }
        turn.tell(stage.rounds, &name, &format!("{:.0}/s", answers.per_second));
    }
    for clients in [1, CONNECTIONS] {
        download(work, stage, repository, turn, &image, clients)?;
    }
    upload(work, stage, repository, turn)?;
    if let Some(process) = repository.process() {
        let name = "peak memory after lists, downloads and an upload";
        stage.figures.record(
            work,
            name,
            Unit::Megabytes,
            turn.pair,
            megabytes(peak_bytes(process)?),
        );
    }
    Ok(())
}

fn download(
    work: &'static str,
    stage: &mut Stage,
    repository: &Repository,
    turn: Turn,
    image: &str,
    clients: usize,
) -> anyhow::Result<()> {
    let before = cpu(repository)?;
    let request = get(&format!("{image}/file"), "");
    let answers = requests(repository.address, clients, &request, stage.call_time)?;
    let each = megabytes(answers.body_bytes);
    let rate = answers.per_second * each;
    // Without its size: that of the other side need not be ours.
    let name = format!("download, {clients} at once");
    stage
        .figures
        .record(work, &name, Unit::MegabytesPerSecond, turn.pair, rate);
    if let (Some(before), Some(after)) = (before, cpu(repository)?) {
        // The first one, before the clock, cost as much as each other.
        let gigabytes = (answers.count + 1) as f64 * each / 1e3;
        let name = format!("{name}, server CPU per GB");
        let seconds = after.saturating_sub(before).as_secs_f64() / gigabytes;
        stage
            .figures
            .record(work, &name, Unit::Seconds, turn.pair, seconds);
    }
    turn.tell(stage.rounds, &name, &format!("{rate:.0} MB/s, {each:.0} MB each"));
    Ok(())
}

pub(super) fn cpu(repository: &Repository) -> anyhow::Result<Option<Duration>> {
    repository.process().map(cpu_time).transpose()
}
