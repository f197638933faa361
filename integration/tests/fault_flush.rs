//! A flush that fails, fails the request that waited for it, with its cause; reads go on, and when the fault is over the
//! same request works, by writing anew and not by trusting what the kernel may have forgotten.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use anyhow::{Context, Result, ensure};
use gob::Time;
use integration::images::{delete, make_directory, names};
use integration::power_cut::{Machine, moments};
use integration::server::{Home, INSECURE, ImageServer};
use integration::strace::{Strace, obstacle};
use integration::told::{Told, add_whole, change_expiration, in_minutes};
use integration::trace::{CALLS, Trace};
use integration::whole::{self, Contents};
use std::path::Path;

/// Directories below this one have metadata.
const OWNED: &str = "owned";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// An image with so many new objects.
    Add(usize),
    Delete,
    Expire,
    MakeDirectory,
}

/// Which flush of a change fails.
struct Case {
    what: &'static str,
    change: Change,
    call: &'static str,
    /// From which one on, of those a thread makes.
    from: usize,
}

const fn case(what: &'static str, change: Change, call: &'static str, from: usize) -> Case {
    Case {
        what,
        change,
        call,
        from,
    }
}

const CASES: &[Case] = &[
    case("data of an object", Change::Add(1), "fdatasync", 1),
    case("directories of an object", Change::Add(1), "fsync", 1),
    case("last directory of an object", Change::Add(1), "fsync", 3),
    case("data of a group", Change::Add(20), "syncfs", 1),
    case("directories of a group", Change::Add(20), "syncfs", 2),
    case("image file", Change::Add(0), "fsync", 1),
    case("directory of an image", Change::Add(0), "fsync", 2),
    case("tombstone", Change::Delete, "fsync", 1),
    case("image with another expiration", Change::Expire, "fsync", 1),
    case(
        "directory of an image with another expiration",
        Change::Expire,
        "fsync",
        2,
    ),
    case("parent of a directory", Change::MakeDirectory, "fsync", 1),
    case("metadata", Change::MakeDirectory, "fsync", 2),
    case("directory of metadata", Change::MakeDirectory, "fsync", 3),
];

/// What the kernel says, and what people read.
const ERRORS: &[(&str, &str)] = &[
    ("EIO", "Input/output error"),
    ("ENOSPC", "No space left on device"),
];

/// An image that is there all the time, and how it is known to be.
const KEPT: &str = "kept";

fn contents(name: &str, files: usize) -> Contents {
    let mut contents: Contents = (0..files)
        .map(|number| (format!("file{number}"), format!("{name} {number}").into_bytes()))
        .collect();
    if files == 0 {
        // Objects are there: only the image is new.
        contents = contents_of_kept();
    }
    contents
}

fn contents_of_kept() -> Contents {
    Contents::from([("file".to_owned(), b"kept".to_vec())])
}

/// Makes the change and keeps what was told.
fn make(told: &mut Told, server: &ImageServer, change: Change, name: &str) -> Result<()> {
    match change {
        Change::Add(files) => {
            let contents = contents(name, files);
            told.ask_add(name, &contents, Time::ZERO);
            if files == 0 {
                integration::images::add(server, name, integration::told::image_of(&contents, Time::ZERO))?;
            } else {
                add_whole(server, name, &contents, Time::ZERO)?;
            }
            told.acknowledge_add(name);
        }
        Change::Delete => {
            told.ask_delete(name);
            delete(server, name)?;
            told.acknowledge_delete(name);
        }
        Change::Expire => {
            let later = in_minutes(120);
            told.ask_expiration(name, later);
            change_expiration(server, name, later)?;
            told.acknowledge_expiration(name);
        }
        Change::MakeDirectory => {
            let name = format!("{OWNED}/{name}");
            told.ask_directory(&name);
            make_directory(server, &name)?;
            told.acknowledge_directory(&name);
        }
    }
    Ok(())
}

fn prepare(told: &mut Told, server: &ImageServer, change: Change, name: &str) -> Result<()> {
    let expires_at = match change {
        Change::Delete => Time::ZERO,
        Change::Expire => in_minutes(60),
        _ => return Ok(()),
    };
    let contents = contents_of_kept();
    told.ask_add(name, &contents, expires_at);
    add_whole(server, name, &contents, expires_at)?;
    told.acknowledge_add(name);
    Ok(())
}

/// Files that must be in the trace of the second attempt, whole: nothing of the first counts.
fn needed(home: &Home, change: Change, name: &str) -> Vec<std::path::PathBuf> {
    let Change::Add(files) = change else {
        return Vec::new();
    };
    let object = |content: &Vec<u8>| {
        let hex = hash::of(content).to_string();
        home.objects().join(&hex[..2]).join(&hex[2..4]).join(&hex[4..])
    };
    let mut needed = vec![home.images().join(name)];
    if files > 0 {
        needed.extend(contents(name, files).values().map(object));
    }
    needed
}

fn try_case(
    home: &Home,
    server: &ImageServer,
    told: &mut Told,
    case: &Case,
    error: (&str, &str),
    name: &str,
) -> Result<()> {
    prepare(told, server, case.change, name)?;
    let output = home.path().join("trace");
    let inject = format!("inject={}:error={}:when={}+", case.call, error.0, case.from);
    let only = format!("trace={}", case.call);
    let logged = server.log_text().matches(error.1).count();
    let strace = Strace::attach(server, &output, &["-e", &only, "-e", &inject])?;
    let failure = make(told, server, case.change, name)
        .err()
        .context("it was acknowledged without a flush")?
        .to_string();
    ensure!(failure.contains(error.1), "the client is told: {failure}");
    ensure!(
        server.logs(error.1, logged + 1),
        "the log does not tell: {}",
        server.log_text()
    );
    let kept = whole::fetch(server, KEPT)?;
    ensure!(kept == Some(contents_of_kept()), "reads do not go on");
    if matches!(case.change, Change::Add(_)) {
        ensure!(
            !names(server)?.iter().any(|listed| listed == name),
            "it is there all the same"
        );
    }
    let trace = strace.detach()?;
    ensure!(trace.contains("(INJECTED)"), "nothing failed: {trace}");

    // What the machine would have on its disk if only the second attempt had ever been made.
    let strace = Strace::attach(server, &output, &["-y", "-xx", "-s", "1000000", "-e", CALLS])?;
    let again = make(told, server, case.change, name);
    let trace = Trace::parse(&strace.detach()?)?;
    match (case.change, again) {
        // The first attempt had come that far, and the disk is the truth.
        (Change::Delete, Err(error)) => {
            ensure!(error.to_string().contains("does not exist"), "{error}");
        }
        (Change::MakeDirectory, Err(error)) => ensure!(error.to_string().contains("exist"), "{error}"),
        (_, again) => again.context("the second attempt")?,
    }
    let mut machine = Machine::new(&[&home.images(), &home.objects()]);
    for (moment, call) in moments(&trace) {
        machine.step(moment, call)?;
    }
    machine.assume_directories();
    let survivors = machine.cut();
    for path in needed(home, case.change, name) {
        let bytes = survivors.get(&path.display().to_string());
        ensure!(
            bytes.is_some_and(|bytes| !bytes.is_empty()),
            "{} was not written anew",
            path.display()
        );
    }
    Ok(())
}

/// Directories that carry metadata, which flushes have a part in.
fn make_owned(home: &Home) -> Result<()> {
    let directory = home.images().join(OWNED);
    std::fs::create_dir(&directory)?;
    let metadata = image::DirectoryMetadata {
        owner_group: "nogroup".to_owned(),
    };
    let path: &Path = &directory.join(".metadata");
    Ok(std::fs::write(path, protocol::metadata_file::encode(&metadata))?)
}

#[test]
fn a_failed_flush_fails_its_request_and_nothing_else() {
    const NAME: &str = "a_failed_flush_fails_its_request_and_nothing_else";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let home = Home::new().unwrap();
    make_owned(&home).unwrap();
    let mut told = Told::default();
    let server = home.start(INSECURE).unwrap();
    told.ask_add(KEPT, &contents_of_kept(), Time::ZERO);
    add_whole(&server, KEPT, &contents_of_kept(), Time::ZERO).unwrap();
    told.acknowledge_add(KEPT);
    for (number, case) in CASES.iter().enumerate() {
        for error in ERRORS {
            let name = format!("image{number}{}", error.0);
            try_case(&home, &server, &mut told, case, *error, &name)
                .with_context(|| format!("{}: {}", case.what, error.0))
                .unwrap();
        }
    }
    told.check(&home, &server).unwrap();
    server.kill().unwrap();
    let server = home.start(INSECURE).unwrap();
    told.check(&home, &server).unwrap();
}
