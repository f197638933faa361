//! SIGKILL of an image repository while images are made, filled, activated, imported and deleted: what was acknowledged holds, what
//! was not is there whole or not at all, uploads in pieces go on, and nothing is left that belongs to no image.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use anyhow::{Context, Result, bail, ensure};
use integration::random::{Random, rounds};
use integration::repository::{Imgapi, Repository};
use integration::repository_calls::{Calls, digests, expect, manifest};
use integration::repository_images::datacenter;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Environment variable with the number of rounds.
const ROUNDS_VARIABLE: &str = "IMAGEWRIGHT_REPOSITORY_KILL_ROUNDS";
const SHORT_ROUNDS: usize = 10;
const CLIENTS: usize = 3;
/// Images of one client at a time, about.
const IMAGES: usize = 12;

/// What an image may be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    /// SHA-1 of its file.
    file: Option<String>,
    is_active: bool,
}

/// What a client was told: what each of its images may be, `None` for gone. Two possibilities where no answer came.
#[derive(Default)]
struct Told {
    images: BTreeMap<String, Vec<Option<State>>>,
    /// Contents that are being sent in pieces.
    pieces: BTreeMap<String, Vec<u8>>,
}

const NEW: State = State {
    file: None,
    is_active: false,
};

impl Told {
    /// What an image is, where that is certain.
    fn sure(&self, uuid: &str) -> Option<State> {
        match &self.images[uuid][..] {
            [Some(state)] => Some(state.clone()),
            _ => None,
        }
    }

    /// Does what leads to another state; what it was remains possible until it is answered.
    fn lead(&mut self, uuid: &str, to: Option<State>, call: impl FnOnce() -> Result<()>) -> Result<()> {
        let states = self.images.entry(uuid.to_owned()).or_insert_with(|| vec![None]);
        states.push(to.clone());
        call()?;
        *states = vec![to];
        Ok(())
    }
}

/// One thing after the other until the server is gone.
fn work(calls: &mut Calls, told: &mut Told, random: &mut Random, is_killed: &AtomicBool) -> Result<()> {
    loop {
        if let Err(error) = step(calls, told, random) {
            return match is_killed.load(Ordering::SeqCst) {
                true => Ok(()),
                false => Err(error),
            };
        }
    }
}

fn step(calls: &mut Calls, told: &mut Told, random: &mut Random) -> Result<()> {
    let uuids: Vec<String> = told.images.keys().cloned().collect();
    let Some(uuid) = random.choose(&uuids).filter(|_| uuids.len() >= IMAGES).cloned() else {
        let uuid = uuid_of(random);
        let fields = json!({"v": 2, "uuid": uuid, "owner": integration::repository_images::LUKE});
        return told.lead(&uuid.clone(), Some(NEW), || {
            let imported = calls.post_json(&format!("/images/{uuid}?action=import"), &manifest(&fields))?;
            expect(imported, 200).map(|_| ())
        });
    };
    let Some(state) = told.sure(&uuid) else {
        bail!("{uuid} is uncertain while the server runs");
    };
    match (random.below(10), state.is_active) {
        (0..2, _) => {
            told.lead(&uuid, None, || {
                expect(calls.delete(&format!("/images/{uuid}"))?, 204).map(|_| ())
            })?;
            told.images.remove(&uuid);
            told.pieces.remove(&uuid);
            Ok(())
        }
        (_, true) => Ok(()),
        (2..5, false) if state.file.is_some() => {
            let active = State {
                is_active: true,
                ..state
            };
            told.pieces.remove(&uuid);
            told.lead(&uuid, Some(active), || {
                expect(calls.activate(&uuid)?, 200).map(|_| ())
            })
        }
        (5..8, false) => send_pieces(calls, told, random, &uuid),
        _ => {
            let length = 1 + random.below(400_000);
            let content = random.bytes(length);
            let file = Some(digests(&content).sha1);
            let filled = State {
                file,
                is_active: false,
            };
            told.lead(&uuid, Some(filled), || {
                expect(calls.add_file(&uuid, &content)?, 200).map(|_| ())
            })
        }
    }
}

fn send_pieces(calls: &mut Calls, told: &mut Told, random: &mut Random, uuid: &str) -> Result<()> {
    let length = 3 + random.below(600_000);
    let content = random.bytes(length);
    told.pieces.insert(uuid.to_owned(), content.clone());
    let half = length / 2;
    send(calls, uuid, &content, 0, half, 202)?;
    let filled = State {
        file: Some(digests(&content).sha1),
        is_active: false,
    };
    told.lead(uuid, Some(filled), || {
        send(calls, uuid, &content, half, length, 200)
    })?;
    told.pieces.remove(uuid);
    Ok(())
}

fn send(calls: &mut Calls, uuid: &str, content: &[u8], start: usize, end: usize, status: u16) -> Result<()> {
    let range = format!("bytes {start}-{}/{}", end - 1, content.len());
    let url = format!("/images/{uuid}/file?compression=none");
    let reply = calls.put(&url, &[("content-range", &range)], &content[start..end])?;
    expect(reply, status).map(|_| ())
}

fn uuid_of(random: &mut Random) -> String {
    let (high, low) = (random.number(), random.number());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// Every image is what it may be; from now on it is certain.
fn check(daemon: &Imgapi, told: &mut Told) -> Result<()> {
    let mut calls = Calls::to(daemon)?;
    let mut gone = Vec::new();
    for (uuid, states) in &mut told.images {
        let reply = calls.get(&format!("/images/{uuid}"))?;
        let state = match reply.status {
            404 => None,
            _ => {
                let image = expect(reply, 200)?.json()?;
                let file = image["files"][0]["sha1"].as_str().map(str::to_owned);
                Some(State {
                    file,
                    is_active: image["state"] == "active",
                })
            }
        };
        ensure!(
            states.contains(&state),
            "{uuid} is {state:?}, and may be {states:?}"
        );
        if let Some(State { file: Some(sha1), .. }) = &state {
            let file = expect(calls.get(&format!("/images/{uuid}/file"))?, 200)?;
            ensure!(digests(&file.body).sha1 == *sha1, "{uuid}: the file is another");
        }
        if state.is_none() {
            gone.push(uuid.clone());
        }
        *states = vec![state];
    }
    for uuid in gone {
        told.images.remove(&uuid);
        told.pieces.remove(&uuid);
    }
    go_on(&mut calls, told)
}

/// Uploads in pieces go on where they were, if their last piece had not arrived.
fn go_on(calls: &mut Calls, told: &mut Told) -> Result<()> {
    for (uuid, content) in std::mem::take(&mut told.pieces) {
        let filled = State {
            file: Some(digests(&content).sha1),
            is_active: false,
        };
        if told.sure(&uuid) == Some(filled.clone()) {
            continue;
        }
        let url = format!("/images/{uuid}/file?compression=none");
        let asked = calls.put(&url, &[("content-range", "bytes */*")], b"")?;
        let there = expect(asked, 202)?.json()?["received"]
            .as_u64()
            .context("no number")?;
        let there = usize::try_from(there)?;
        ensure!(
            there <= content.len(),
            "{uuid}: {there} bytes of {}",
            content.len()
        );
        // All of it may be there without having been put in its place: the last byte again.
        let start = there.min(content.len() - 1);
        send(calls, &uuid, &content, start, content.len(), 200)?;
        told.images.insert(uuid, vec![Some(filled)]);
    }
    Ok(())
}

/// Nothing on the disk belongs to no image; the server may still be tidying up.
fn check_disk(base: &Path) -> Result<()> {
    let mut strays = Vec::new();
    for _ in 0..1000 {
        strays = self::strays(base)?;
        if strays.is_empty() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("left behind: {strays:?}")
}

fn strays(base: &Path) -> Result<Vec<String>> {
    let names = |path: &Path| -> Result<Vec<String>> {
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            // Tidied away meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    };
    let mut strays = names(&base.join("images/.uploads"))?;
    for name in names(&base.join("manifests"))? {
        if !name.ends_with(".raw") {
            strays.push(name);
        }
    }
    for prefix in names(&base.join("images"))?
        .iter()
        .filter(|name| !name.starts_with('.'))
    {
        let directory = base.join("images").join(prefix);
        for uuid in names(&directory)? {
            if !base.join("manifests").join(format!("{uuid}.raw")).exists() {
                strays.push(uuid.clone());
            }
            strays.extend(
                names(&directory.join(&uuid))?
                    .into_iter()
                    .filter(|name| name != "file0"),
            );
        }
    }
    Ok(strays)
}

#[test]
fn what_was_acknowledged_holds_and_what_was_begun_goes_on() {
    let mut random = Random::for_test("repository_kill");
    let repository = Repository::new(datacenter()).unwrap();
    let mut all: Vec<Told> = (0..CLIENTS).map(|_| Told::default()).collect();
    let mut daemon = repository.start().unwrap();
    for round in 0..rounds(ROUNDS_VARIABLE, SHORT_ROUNDS) {
        let is_killed = AtomicBool::new(false);
        let pause = Duration::from_millis(20 + random.below(400) as u64);
        std::thread::scope(|scope| {
            for told in &mut all {
                let (mut random, mut calls) = (random.fork(), Calls::to(&daemon).unwrap());
                let is_killed = &is_killed;
                scope.spawn(move || work(&mut calls, told, &mut random, is_killed).unwrap());
            }
            // Not a wait for something: the moment of the kill is chosen at random.
            std::thread::sleep(pause);
            is_killed.store(true, Ordering::SeqCst);
            kill(&daemon);
        });
        drop(daemon);
        daemon = repository.start().unwrap();
        for told in &mut all {
            check(&daemon, told).unwrap_or_else(|error| panic!("round {round}: {error:#}"));
        }
        check_disk(repository.base()).unwrap_or_else(|error| panic!("round {round}: {error:#}"));
    }
}

fn kill(daemon: &Imgapi) {
    let pid = i32::try_from(daemon.process_id()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
