//! SIGKILL at named points: right before and right after each system call that changes the disk or answers a client.
//!
//! `strace` stands between the server and the kernel. *Before*: the call is answered with SIGKILL and never made.
//! *After*: the call is made, and its thread is held until the process has been killed. Every occurrence of a call in an
//! operation is a point of its own, until the operation goes through without meeting it.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use anyhow::{Context, Result, ensure};
use gob::Time;
use integration::images::{delete, make_directory};
use integration::random::rounds;
use integration::secured::Secured;
use integration::server::{Home, INSECURE, ImageServer};
use integration::strace::{Strace, obstacle};
use integration::told::{Told, add_whole, change_expiration, check_tombstone, in_minutes};
use integration::whole::{Contents, check_images_on_disk};
use std::path::Path;
use std::time::{Duration, Instant};

/// Environment variable with the number of occurrences of each call that are tried.
const OCCURRENCES_VARIABLE: &str = "IMAGEWRIGHT_KILL_POINTS";
const SHORT_OCCURRENCES: usize = 1;
/// Where nothing happened for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(60);
/// What holds a thread after its call: longer than anybody waits, microseconds.
const HOLD: &str = "delay_exit=600000000";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

/// A call of the server to its kernel.
#[derive(Debug, Clone, Copy)]
struct Point {
    call: &'static str,
    occurrence: usize,
    moment: Moment,
}

impl Point {
    /// Kills the server at this point of `operation`. What the operation came to, and whether the point was met.
    fn kill<T>(
        self,
        server: &mut ImageServer,
        trace: &Path,
        operation: impl FnOnce(&ImageServer) -> T + Send,
    ) -> Result<(T, bool)>
    where
        T: Send,
    {
        let fault = match self.moment {
            Moment::Before => "signal=SIGKILL",
            Moment::After => HOLD,
        };
        let inject = format!("inject={}:{fault}:when={}", self.call, self.occurrence);
        let only = format!("trace={}", self.call);
        let _ = std::fs::remove_file(trace);
        let mut strace = Strace::attach(server, trace, &["-e", &only, "-e", &inject])?;
        let outcome = std::thread::scope(|scope| -> Result<T> {
            let server = &*server;
            let running = scope.spawn(move || operation(server));
            let deadline = Instant::now() + PATIENCE;
            while !running.is_finished() {
                ensure!(Instant::now() < deadline, "{self:?}: no answer");
                if strace.text().contains("(DELAYED)") {
                    strace.kill_with(server)?;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(running.join().unwrap())
        })?;
        let doomed = strace.text().contains("killed by SIGKILL") || strace.text().contains("(DELAYED)");
        if !doomed && !server.has_ended()? {
            strace.detach()?;
            return Ok((outcome, false));
        }
        strace.kill_with(server)?;
        let deadline = Instant::now() + PATIENCE;
        while !server.has_ended()? {
            ensure!(Instant::now() < deadline, "it does not die");
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok((outcome, true))
    }
}

/// A change that is tried at each of its points, on one home.
struct Operation {
    name: &'static str,
    calls: &'static [&'static str],
    run: fn(&mut Told, &ImageServer, &str) -> Result<()>,
    /// Brings about what the operation needs, where no fault is.
    prepare: fn(&mut Told, &Home, &ImageServer, &str) -> Result<()>,
}

fn nothing(_: &mut Told, _: &Home, _: &ImageServer, _: &str) -> Result<()> {
    Ok(())
}

fn contents(name: &str, files: usize) -> Contents {
    (0..files)
        .map(|number| (format!("file{number}"), format!("{name} {number}").into_bytes()))
        .collect()
}

fn add(told: &mut Told, server: &ImageServer, name: &str, files: usize, expires_at: Time) -> Result<()> {
    let contents = contents(name, files);
    told.ask_add(name, &contents, expires_at);
    add_whole(server, name, &contents, expires_at)?;
    told.acknowledge_add(name);
    Ok(())
}

fn object_path(home: &Home, content: &[u8]) -> std::path::PathBuf {
    let hash = hash::of(content).to_string();
    home.objects().join(&hash[..2]).join(&hash[2..4]).join(&hash[4..])
}

/// The directory that makes those below it carry a `.metadata` of their own.
const OWNED: &str = "owned";

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "add of few objects",
        calls: &["fdatasync", "mkdirat", "linkat", "fsync", "unlinkat", "sendto"],
        prepare: nothing,
        run: |told, server, name| add(told, server, name, 2, Time::ZERO),
    },
    Operation {
        name: "add of a group of objects",
        calls: &["mkdirat", "linkat", "syncfs", "fsync"],
        prepare: nothing,
        run: |told, server, name| add(told, server, name, 20, Time::ZERO),
    },
    Operation {
        name: "delete",
        calls: &["ftruncate", "fsync", "sendto"],
        prepare: |told, _, server, name| add(told, server, name, 1, Time::ZERO),
        run: |told, server, name| {
            told.ask_delete(name);
            delete(server, name)?;
            told.acknowledge_delete(name);
            Ok(())
        },
    },
    Operation {
        name: "change of expiration",
        calls: &["fsync", "renameat", "sendto"],
        prepare: |told, _, server, name| add(told, server, name, 1, in_minutes(60)),
        run: |told, server, name| {
            let later = in_minutes(120);
            told.ask_expiration(name, later);
            change_expiration(server, name, later)?;
            told.acknowledge_expiration(name);
            Ok(())
        },
    },
    Operation {
        name: "make directory",
        calls: &["mkdirat", "fsync", "renameat", "sendto"],
        prepare: nothing,
        run: |told, server, name| {
            let name = format!("{OWNED}/{name}");
            told.ask_directory(&name);
            make_directory(server, &name)?;
            told.acknowledge_directory(&name);
            Ok(())
        },
    },
    Operation {
        name: "repair of a damaged object",
        calls: &["unlinkat", "linkat", "renameat", "fsync"],
        // Damaged behind the server's back. The image that needs it is added by the operation, so that there is none
        // with a damaged object if it fails.
        prepare: |_, home, server, name| {
            let content = contents(name, 1)["file0"].clone();
            integration::images::store(server, &[&content])?;
            // No longer than it was: a file that another length gives away is noticed without reading.
            let damage = vec![b'x'; content.len()];
            Ok(std::fs::write(object_path(home, &content), damage)?)
        },
        run: |told, server, name| add(told, server, name, 1, Time::ZERO),
    },
];

/// Directories below one that belongs to a group inherit that, in files of their own.
fn make_owned(home: &Home) -> Result<()> {
    let directory = home.images().join(OWNED);
    std::fs::create_dir(&directory)?;
    let metadata = image::DirectoryMetadata {
        owner_group: "nogroup".to_owned(),
    };
    Ok(std::fs::write(
        directory.join(".metadata"),
        protocol::metadata_file::encode(&metadata),
    )?)
}

/// What a repair that was cut off left damaged belongs to no image; the check of the disk would stumble over it.
fn mend(home: &Home, name: &str) -> Result<()> {
    let content = contents(name, 1)["file0"].clone();
    let path = object_path(home, &content);
    if std::fs::read(&path).is_ok_and(|found| found != content) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

fn try_point(home: &Home, told: &mut Told, operation: &Operation, point: Point, name: &str) -> Result<bool> {
    let mut server = home.start(INSECURE)?;
    (operation.prepare)(told, home, &server, name)?;
    let trace = home.path().join("trace");
    let (outcome, killed) = point.kill(&mut server, &trace, |server| (operation.run)(told, server, name))?;
    if !killed {
        outcome.context("nothing was killed, and it failed")?;
    }
    drop(server);
    if operation.name.starts_with("repair") {
        mend(home, name)?;
    }
    let server = home.start(INSECURE)?;
    told.check(home, &server)?;
    let next = format!("next-{name}");
    add(told, &server, &next, 1, Time::ZERO).context("the next add")?;
    told.ask_delete(&next);
    delete(&server, &next)?;
    told.acknowledge_delete(&next);
    check_tombstone(&server, &next)?;
    Ok(killed)
}

#[test]
fn what_was_acknowledged_survives_sigkill_at_every_named_point() {
    const NAME: &str = "what_was_acknowledged_survives_sigkill_at_every_named_point";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let occurrences = rounds(OCCURRENCES_VARIABLE, SHORT_OCCURRENCES);
    let home = Home::new().unwrap();
    make_owned(&home).unwrap();
    let (mut told, mut points) = (Told::default(), 0);
    for operation in OPERATIONS {
        for call in operation.calls {
            for moment in [Moment::Before, Moment::After] {
                for occurrence in 1..=occurrences {
                    let point = Point {
                        call,
                        occurrence,
                        moment,
                    };
                    points += 1;
                    let killed = try_point(&home, &mut told, operation, point, &format!("n{points}"))
                        .with_context(|| format!("{}, {point:?}", operation.name))
                        .unwrap();
                    if !killed {
                        // The first one must be met: else it is no point of this operation any more.
                        assert!(occurrence > 1, "{}: there is no {call}", operation.name);
                        break;
                    }
                }
            }
        }
    }
    println!(
        "{points} points; {} adds, {} deletes, {} other changes acknowledged, all found",
        told.acknowledged_adds, told.acknowledged_deletes, told.acknowledged_others
    );
}

/// Owner group of a directory, as the page of directories tells it.
fn owner(server: &ImageServer, directory: &str) -> Result<String> {
    let (_, text) = server.page("/listDirectories?output=json")?;
    let table: Vec<serde_json::Value> = serde_json::from_str(&text).with_context(|| text.clone())?;
    let row = table
        .iter()
        .find(|row| row["Name"] == directory)
        .context("no such directory")?;
    Ok(row["Owner Group"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_change_of_owner_is_whole_or_absent_after_sigkill_at_every_named_point() {
    const NAME: &str = "a_change_of_owner_is_whole_or_absent_after_sigkill_at_every_named_point";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let mut stage = Secured::new(&[]).unwrap();
    stage.issue("admin", &["--preset", "admin"]).unwrap();
    stage.tool("admin").must(&["mkdir", "d"]).unwrap();
    let trace = stage.home.path().join("trace");
    let mut owners = ["nogroup", "daemon"].into_iter().cycle();
    let mut before = String::new();
    for call in ["fsync", "renameat"] {
        for moment in [Moment::Before, Moment::After] {
            let point = Point {
                call,
                occurrence: 1,
                moment,
            };
            let wanted = owners.next().unwrap();
            let tool = stage.tool("admin");
            let (outcome, killed) = point
                .kill(&mut stage.server, &trace, |_| tool.run(&["chown", "d", wanted]))
                .unwrap();
            assert!(killed, "{point:?}: {outcome:?}");
            stage.start_again().unwrap();
            let after = owner(&stage.server, "d").unwrap();
            if outcome.unwrap().code == 0 {
                assert_eq!(after, wanted, "{point:?}: acknowledged and lost");
            }
            assert!(after == wanted || after == before, "{point:?}: {after:?}");
            check_images_on_disk(&stage.home.images()).unwrap();
            before = after;
        }
    }
    stage.tool("admin").must(&["chown", "d", "root"]).unwrap();
    assert_eq!(owner(&stage.server, "d").unwrap(), "root");
}
