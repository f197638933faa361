//! A master and two replicas under load, with connections cut and processes killed and started again at random: in the end
//! all hold the same, and nothing that was acknowledged is lost (`imageserver.md §7`).

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use anyhow::{Context, Result};
use gob::Time;
use integration::images::{delete, make_directory};
use integration::random::{Random, rounds};
use integration::replica::{Node, Wire, converges, delete_directory, write_owner};
use integration::server::Home;
use integration::told::{Told, add_whole, change_expiration, in_minutes};
use integration::whole::{self, Contents};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

/// Environment variable with the number of rounds.
const ROUNDS_VARIABLE: &str = "IMAGEWRIGHT_REPLICATION_ROUNDS";
const SHORT_ROUNDS: usize = 3;
const CLIENTS: usize = 3;
/// Mishaps of one round at most.
const MISHAPS: usize = 6;
/// Images at a time, about: the more there are, the more is deleted.
const IMAGES: usize = 40;
const SHARED_CONTENTS: usize = 12;
/// So much is deleted that a replica which was away may find most of what it has gone.
const REPLICA_FLAGS: &[&str] = &["-replicationDeletePercent=100"];

struct Site {
    master: RwLock<Node>,
    replicas: [RwLock<Node>; 2],
    wires: [Wire; 2],
}

impl Site {
    /// The second replica follows the master, or the first replica.
    fn new(chained: bool) -> Result<Site> {
        let mut master = Node::prepare(Home::new()?, None, &[])?;
        write_owner(&master.home, "team", "users")?;
        master.up()?;
        let first_wire = Wire::to(master.port)?;
        let first = Node::start(Some(first_wire.port), REPLICA_FLAGS)?;
        let second_wire = Wire::to(if chained { first.port } else { master.port })?;
        let second = Node::start(Some(second_wire.port), REPLICA_FLAGS)?;
        Ok(Site {
            master: RwLock::new(master),
            replicas: [RwLock::new(first), RwLock::new(second)],
            wires: [first_wire, second_wire],
        })
    }

    /// Kills a server in the middle of whatever it does, and starts it again.
    fn kill(&self, node: &RwLock<Node>, pause: Duration) -> Result<()> {
        if let Ok(server) = node.read().unwrap().server() {
            server.kill_now()?;
        }
        std::thread::sleep(pause);
        let mut node = node.write().unwrap();
        node.kill()?;
        node.up()
    }

    fn mishap(&self, random: &mut Random) -> Result<()> {
        let pause = Duration::from_millis(random.below(500) as u64);
        let which = random.below(2);
        match random.below(10) {
            0..4 => self.wires[which].cut(),
            4..8 => self.kill(&self.replicas[which], pause)?,
            _ => self.kill(&self.master, pause)?,
        }
        // How far apart, and nothing that anybody waits for.
        std::thread::sleep(Duration::from_millis(random.below(800) as u64));
        Ok(())
    }
}

/// What the clients of one round share.
struct Work<'a> {
    site: &'a Site,
    told: &'a Mutex<Told>,
    /// Images somebody is changing.
    busy: Mutex<BTreeSet<String>>,
    shared: &'a [Vec<u8>],
    is_over: AtomicBool,
    next_name: &'a AtomicUsize,
}

impl Work<'_> {
    fn directory(&self, random: &mut Random) -> Option<String> {
        let told = self.told.lock().unwrap();
        let made: Vec<&String> = told
            .directories
            .iter()
            .filter(|(_, made)| **made)
            .map(|(name, _)| name)
            .collect();
        random.choose(&made).map(|name| (*name).clone())
    }

    fn name(&self, kind: &str, random: &mut Random) -> String {
        let number = self.next_name.fetch_add(1, Ordering::Relaxed);
        match self.directory(random) {
            Some(directory) if random.percent(60) => format!("{directory}/{kind}{number}"),
            _ => format!("team/{kind}{number}"),
        }
    }

    fn add(&self, random: &mut Random) {
        let name = self.name("image", random);
        let files = if random.percent(5) {
            300
        } else {
            1 + random.below(5)
        };
        let mut contents: Contents = (0..files)
            .map(|number| {
                let content = match random.choose(self.shared) {
                    Some(shared) if random.percent(40) => shared.clone(),
                    _ => {
                        let length = random.below(3000);
                        random.bytes(length)
                    }
                };
                (format!("file{number}"), content)
            })
            .collect();
        if random.percent(5) {
            contents.insert("large".to_owned(), random.bytes(3 << 20));
        }
        let expires_at = match random.percent(30) {
            true => in_minutes(60),
            false => Time::ZERO,
        };
        let node = match random.percent(30) {
            true => &self.site.replicas[random.below(2)],
            false => &self.site.master,
        };
        self.told.lock().unwrap().ask_add(&name, &contents, expires_at);
        let added = node
            .read()
            .unwrap()
            .server()
            .and_then(|server| add_whole(server, &name, &contents, expires_at));
        if added.is_ok() {
            self.told.lock().unwrap().acknowledge_add(&name);
        }
    }

    /// An image that is there and that nobody else is changing, for the time of `change`.
    fn with_image(&self, random: &mut Random, change: impl FnOnce(&str) -> Result<()>) {
        let there = self.told.lock().unwrap().there();
        let Some(name) = random.choose(&there) else {
            return;
        };
        if !self.busy.lock().unwrap().insert(name.clone()) {
            return;
        }
        if self.told.lock().unwrap().there().contains(name) {
            // Not answered is not told: what came of it is seen when the round is over.
            let _ = change(name);
        }
        self.busy.lock().unwrap().remove(name);
    }

    fn delete(&self, name: &str) -> Result<()> {
        self.told.lock().unwrap().ask_delete(name);
        delete(self.site.master.read().unwrap().server()?, name)?;
        self.told.lock().unwrap().acknowledge_delete(name);
        Ok(())
    }

    fn extend(&self, name: &str) -> Result<()> {
        let later = {
            let mut told = self.told.lock().unwrap();
            let expirations = &told.images[name].expirations;
            if expirations.last().is_none_or(|last| last.is_zero()) {
                return Ok(());
            }
            let hours = told.acknowledged() + expirations.len() + 2;
            let later = in_minutes(60 * hours as u64);
            told.ask_expiration(name, later);
            later
        };
        change_expiration(self.site.master.read().unwrap().server()?, name, later)?;
        self.told.lock().unwrap().acknowledge_expiration(name);
        Ok(())
    }

    fn make_directory(&self, random: &mut Random) -> Result<()> {
        let name = self.name("directory", random);
        self.told.lock().unwrap().ask_directory(&name);
        make_directory(self.site.master.read().unwrap().server()?, &name)?;
        self.told.lock().unwrap().acknowledge_directory(&name);
        Ok(())
    }

    fn delete_directory(&self, random: &mut Random) -> Result<()> {
        let Some(name) = self.directory(random) else {
            return Ok(());
        };
        if !self.busy.lock().unwrap().insert(name.clone()) {
            return Ok(());
        }
        let removed = self.delete_this_directory(&name);
        self.busy.lock().unwrap().remove(&name);
        removed
    }

    fn delete_this_directory(&self, name: &str) -> Result<()> {
        // Whether it is there is not known until the answer; most are not empty and stay.
        self.told.lock().unwrap().ask_directory(name);
        match delete_directory(self.site.master.read().unwrap().server()?, name) {
            Ok(()) => drop(self.told.lock().unwrap().directories.remove(name)),
            Err(error) if error.to_string().contains("not empty") => {
                self.told
                    .lock()
                    .unwrap()
                    .directories
                    .insert(name.to_owned(), true);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn client(&self, random: &mut Random) {
        while !self.is_over.load(Ordering::Relaxed) {
            let crowded = self.told.lock().unwrap().there().len() > IMAGES;
            match random.below(100) {
                0..8 => drop(self.make_directory(random)),
                8..13 => drop(self.delete_directory(random)),
                13..25 => self.with_image(random, |name| self.extend(name)),
                25..40 => self.with_image(random, |name| self.delete(name)),
                40..80 if crowded => self.with_image(random, |name| self.delete(name)),
                _ => self.add(random),
            }
        }
    }
}

fn load(
    site: &Site,
    told: &Mutex<Told>,
    shared: &[Vec<u8>],
    next: &AtomicUsize,
    random: &mut Random,
) -> Result<()> {
    let work = Work {
        site,
        told,
        busy: Mutex::default(),
        shared,
        is_over: AtomicBool::new(false),
        next_name: next,
    };
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let mut random = random.fork();
            let work = &work;
            scope.spawn(move || work.client(&mut random));
        }
        let mishaps = 1 + random.below(MISHAPS);
        let happened = (0..mishaps).try_for_each(|_| site.mishap(random));
        work.is_over.store(true, Ordering::Relaxed);
        happened
    })
}

/// All hold the same, and that is what was told. How long the slower one took.
fn judge(site: &Site, told: &Mutex<Told>) -> Result<Duration> {
    let master = site.master.read().unwrap();
    let server = master.server()?;
    let mut longest = Duration::ZERO;
    for replica in &site.replicas {
        let replica = replica.read().unwrap();
        let took = converges(replica.server()?, server)?;
        longest = longest.max(took);
        whole::check_images_on_disk(&replica.home.images())?;
        whole::check_objects_on_disk(&replica.home.objects())?;
    }
    told.lock().unwrap().check(&master.home, server)?;
    Ok(longest)
}

#[test]
fn replicas_converge_and_nothing_acknowledged_is_lost_whatever_is_cut_or_killed() {
    let mut random =
        Random::for_test("replicas_converge_and_nothing_acknowledged_is_lost_whatever_is_cut_or_killed");
    let rounds = rounds(ROUNDS_VARIABLE, SHORT_ROUNDS);
    let chained = random.percent(50);
    let site = Site::new(chained).unwrap();
    let (told, next) = (Mutex::new(Told::default()), AtomicUsize::new(0));
    let shared: Vec<Vec<u8>> = (0..SHARED_CONTENTS).map(|_| random.bytes(500)).collect();
    let mut times = Vec::new();
    for round in 0..rounds {
        let took = load(&site, &told, &shared, &next, &mut random)
            .and_then(|()| judge(&site, &told))
            .with_context(|| format!("round {round}"))
            .unwrap();
        println!("round {round}: converged in {took:?}");
        times.push(took);
    }
    times.sort();
    let told = told.into_inner().unwrap();
    assert!(told.acknowledged_adds > rounds && told.acknowledged_others > 0);
    println!(
        "{rounds} rounds{}: {} adds, {} deletes, {} other changes acknowledged, all everywhere; convergence {:?} median, {:?} longest",
        if chained { ", chained" } else { "" },
        told.acknowledged_adds,
        told.acknowledged_deletes,
        told.acknowledged_others,
        times[times.len() / 2],
        times[times.len() - 1],
    );
}
