//! SIGKILL at random moments: nothing that was acknowledged is lost, nothing half done is visible, and the next start
//! goes on as if nothing had happened.
//!
//! The death is that of the process, not of the machine: what it had written stays in the kernel's memory and is not
//! lost. What a power cut leaves is judged by `fault_order.rs`, from a trace of what was flushed.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use anyhow::{Context, Result, ensure};
use gob::Time;
use integration::images::{delete, make_directory};
use integration::random::{Random, rounds};
use integration::server::{Home, INSECURE, ImageServer};
use integration::told::{Told, add_whole, change_expiration, check_tombstone, in_minutes};
use integration::tool::Tool;
use integration::whole::Contents;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Environment variable with the number of rounds.
const ROUNDS_VARIABLE: &str = "IMAGEWRIGHT_KILL_ROUNDS";
const SHORT_ROUNDS: usize = 8;
/// Clients that call by hand; beside them there is one that uses `imagetool`.
const CLIENTS: usize = 4;
/// Images at a time, about: the more there are, the more is deleted.
const IMAGES: usize = 60;
/// Contents that many images share.
const SHARED_CONTENTS: usize = 12;
/// Of a thousand lines of server log nobody reads more than these.
const LOG_TAIL_BYTES: usize = 4000;

/// What the clients of one round share.
struct Work<'a> {
    server: &'a ImageServer,
    told: &'a Mutex<Told>,
    /// Images somebody is changing: two changes at a time would make it unclear what is to be expected.
    busy: Mutex<BTreeSet<String>>,
    shared: &'a [Vec<u8>],
    /// Set before the kill: from then on calls fail.
    is_killed: AtomicBool,
    next_name: &'a AtomicUsize,
    failures: Mutex<Vec<String>>,
}

impl Work<'_> {
    /// True if it was answered. A failure that the kill does not explain is noted.
    fn answered(&self, what: &str, result: Result<()>) -> bool {
        match result {
            Ok(()) => true,
            Err(error) => {
                if !self.is_killed.load(Ordering::SeqCst) {
                    self.failures.lock().unwrap().push(format!("{what}: {error:#}"));
                }
                false
            }
        }
    }

    fn name(&self, kind: &str, random: &mut Random) -> String {
        let number = self.next_name.fetch_add(1, Ordering::Relaxed);
        let told = self.told.lock().unwrap();
        let directories: Vec<&String> = told
            .directories
            .iter()
            .filter(|(_, made)| **made)
            .map(|(name, _)| name)
            .collect();
        match random.choose(&directories) {
            Some(directory) if random.percent(50) => format!("{directory}/{kind}{number}"),
            _ => format!("{kind}{number}"),
        }
    }

    /// Contents of one of the sizes that take different ways: a few objects, a group, several batches, one large file.
    fn contents(&self, random: &mut Random) -> Contents {
        let (files, large) = match random.below(20) {
            0 => (700, false),
            1 => (2, true),
            2..8 => (20, false),
            _ => (1 + random.below(4), false),
        };
        let mut contents: Contents = (0..files)
            .map(|number| {
                let content = match random.choose(self.shared) {
                    Some(shared) if random.percent(30) => shared.clone(),
                    _ => {
                        let length = random.below(2000);
                        random.bytes(length)
                    }
                };
                (format!("file{number}"), content)
            })
            .collect();
        if large {
            contents.insert("large".to_owned(), random.bytes(3 << 20));
        }
        contents
    }

    fn add(&self, random: &mut Random) {
        let (name, contents) = (self.name("image", random), self.contents(random));
        let expires_at = match random.percent(30) {
            true => in_minutes(60),
            false => Time::ZERO,
        };
        self.told.lock().unwrap().ask_add(&name, &contents, expires_at);
        if self.answered(&name, add_whole(self.server, &name, &contents, expires_at)) {
            self.told.lock().unwrap().acknowledge_add(&name);
        }
    }

    fn add_with_tool(&self, random: &mut Random) {
        let (name, contents) = (self.name("tool", random), self.contents(random));
        let tree = tempfile::tempdir().unwrap();
        for (path, content) in &contents {
            std::fs::write(tree.path().join(path), content).unwrap();
        }
        let tool = Tool::new(self.server, Path::new("/nonexistent"), tree.path());
        let source = tree.path().display().to_string();
        self.told.lock().unwrap().ask_add(&name, &contents, Time::ZERO);
        let added = tool.must(&["add", &name, &source, "", ""]).map(drop);
        if self.answered(&name, added) {
            self.told.lock().unwrap().acknowledge_add(&name);
        }
    }

    /// An image that is there and that nobody else is changing, for the time of `change`.
    fn with_image(&self, random: &mut Random, change: impl FnOnce(&str)) {
        let there = self.told.lock().unwrap().there();
        let Some(name) = random.choose(&there) else {
            return;
        };
        if self.busy.lock().unwrap().insert(name.clone()) {
            change(name);
            self.busy.lock().unwrap().remove(name);
        }
    }

    fn delete(&self, name: &str) {
        if !self
            .told
            .lock()
            .unwrap()
            .there()
            .iter()
            .any(|there| there == name)
        {
            return;
        }
        self.told.lock().unwrap().ask_delete(name);
        if self.answered(name, delete(self.server, name)) {
            self.told.lock().unwrap().acknowledge_delete(name);
        }
    }

    fn change_expiration(&self, name: &str) {
        let later = {
            let told = self.told.lock().unwrap();
            match told.images[name].expirations.last() {
                Some(last) if !last.is_zero() && told.there().iter().any(|there| there == name) => {
                    // Each change is one hour further than the last.
                    let asked = told.images[name].expirations.len() as u64;
                    in_minutes(60 * (told.acknowledged() as u64 + asked + 2))
                }
                _ => return,
            }
        };
        self.told.lock().unwrap().ask_expiration(name, later);
        if self.answered(name, change_expiration(self.server, name, later)) {
            self.told.lock().unwrap().acknowledge_expiration(name);
        }
    }

    fn make_directory(&self, random: &mut Random) {
        let name = self.name("directory", random);
        self.told.lock().unwrap().ask_directory(&name);
        if self.answered(&name, make_directory(self.server, &name)) {
            self.told.lock().unwrap().acknowledge_directory(&name);
        }
    }

    fn client(&self, random: &mut Random) {
        while !self.is_killed.load(Ordering::SeqCst) {
            let crowded = self.told.lock().unwrap().there().len() > IMAGES;
            match random.below(100) {
                0..10 => self.make_directory(random),
                10..25 => self.with_image(random, |name| self.change_expiration(name)),
                25..45 => self.with_image(random, |name| self.delete(name)),
                45..80 if crowded => self.with_image(random, |name| self.delete(name)),
                _ => self.add(random),
            }
        }
    }
}

/// Lets clients work, and kills the server amid it.
fn work_and_kill(
    server: ImageServer,
    told: &Mutex<Told>,
    shared: &[Vec<u8>],
    next_name: &AtomicUsize,
    random: &mut Random,
) -> Result<()> {
    let enough = told.lock().unwrap().acknowledged() + random.below(60);
    let work = Work {
        server: &server,
        told,
        busy: Mutex::default(),
        shared,
        is_killed: AtomicBool::new(false),
        next_name,
        failures: Mutex::default(),
    };
    std::thread::scope(|scope| -> Result<()> {
        for _ in 0..CLIENTS {
            let mut random = random.fork();
            let work = &work;
            scope.spawn(move || work.client(&mut random));
        }
        let (mut tool_random, tool_work) = (random.fork(), &work);
        scope.spawn(move || {
            while !tool_work.is_killed.load(Ordering::SeqCst) {
                tool_work.add_with_tool(&mut tool_random);
            }
        });
        while told.lock().unwrap().acknowledged() < enough && work.failures.lock().unwrap().is_empty() {
            std::thread::sleep(Duration::from_micros(200));
        }
        // The moment of the kill, and nothing that anybody waits for.
        std::thread::sleep(Duration::from_micros(random.below(10_000) as u64));
        work.is_killed.store(true, Ordering::SeqCst);
        server.kill_now()
    })?;
    let failures = work.failures.into_inner().unwrap();
    ensure!(failures.is_empty(), "failed while the server lived: {failures:?}");
    server.kill()
}

/// Everything told is there, and the server works.
fn judge(
    home: &Home,
    server: &ImageServer,
    told: &Mutex<Told>,
    next_name: &AtomicUsize,
    random: &mut Random,
) -> Result<()> {
    let mut told = told.lock().unwrap();
    told.check(home, server)?;
    let deleted: Vec<String> = told
        .images
        .keys()
        .filter(|name| told.images[*name].deleted == integration::told::Answer::Acknowledged)
        .cloned()
        .collect();
    // All have their tombstones on disk, which was looked at; what they are good for is tried with some.
    for _ in 0..4 {
        if let Some(name) = random.choose(&deleted) {
            check_tombstone(server, name).with_context(|| format!("deleted image {name}"))?;
        }
    }
    let name = format!("next{}", next_name.fetch_add(1, Ordering::Relaxed));
    let contents = Contents::from([("file".to_owned(), random.bytes(100))]);
    told.ask_add(&name, &contents, Time::ZERO);
    add_whole(server, &name, &contents, Time::ZERO).context("the next add")?;
    told.acknowledge_add(&name);
    Ok(())
}

fn run(rounds: usize, random: &mut Random) -> Result<Told> {
    let home = Home::new()?;
    let told = Mutex::new(Told::default());
    let next_name = AtomicUsize::new(0);
    let shared: Vec<Vec<u8>> = (0..SHARED_CONTENTS).map(|_| random.bytes(500)).collect();
    for round in 0..rounds {
        if random.percent(25) {
            // A start is interrupted as well.
            home.start_and_kill(INSECURE, Duration::from_micros(random.below(300_000) as u64))?;
        }
        let server = home.start(INSECURE)?;
        let log = server.log().to_owned();
        judge(&home, &server, &told, &next_name, random)
            .and_then(|()| work_and_kill(server, &told, &shared, &next_name, random))
            .with_context(|| {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                let tail = log.len().saturating_sub(LOG_TAIL_BYTES);
                format!("round {round}; the server's log ends:\n{}", &log[tail..])
            })?;
    }
    let server = home.start(INSECURE)?;
    judge(&home, &server, &told, &next_name, random)?;
    Ok(told.into_inner().unwrap())
}

#[test]
fn what_was_acknowledged_survives_sigkill_at_any_moment() {
    let mut random = Random::for_test("what_was_acknowledged_survives_sigkill_at_any_moment");
    let rounds = rounds(ROUNDS_VARIABLE, SHORT_ROUNDS);
    let told = run(rounds, &mut random).unwrap();
    assert!(told.acknowledged_adds > 0 && told.acknowledged() > rounds);
    println!(
        "{rounds} rounds: {} adds, {} deletes, {} other changes acknowledged, all found",
        told.acknowledged_adds, told.acknowledged_deletes, told.acknowledged_others
    );
}
