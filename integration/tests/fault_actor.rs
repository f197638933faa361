//! An actor that panics while work is queued: whoever waits gets an answer at once, nothing that was acknowledged is lost,
//! and service resumes.
//!
//! The work is kept from going on by holding the flush it waits for, so that the panic meets a full queue.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use anyhow::{Context, Result, ensure};
use gob::Time;
use integration::images::{add, object_sizes, store};
use integration::server::{Home, INSECURE, ImageServer};
use integration::strace::{Strace, obstacle};
use integration::told::{Told, image_of};
use integration::whole::Contents;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Callers that wait when the actor panics; fewer than the batches that are staged at a time.
const QUEUED: usize = 6;
/// Where nothing happened for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a flush is held, microseconds: longer than anybody waits.
const HELD: &str = "delay_enter=600000000";

fn start(home: &Home) -> Result<ImageServer> {
    home.start_in(&[("IMAGEWRIGHT_TEST_PANIC", "1")], INSECURE)
}

fn panic_of(server: &ImageServer, actor: &str) -> Result<()> {
    let answer = server.request("POST", &format!("/debug/panicActor?name={actor}"), "*/*")?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so()? {
        ensure!(Instant::now() < deadline, "{what}: it never comes");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Objects that are staged and not committed: open files without a name.
fn staged(server: &ImageServer) -> Result<usize> {
    let mut count = 0;
    for file in std::fs::read_dir(format!("/proc/{}/fd", server.process_id()))? {
        let target = std::fs::read_link(file?.path()).unwrap_or_default();
        let target = target.to_string_lossy();
        count += usize::from(target.contains("/objects/#") && target.ends_with("(deleted)"));
    }
    Ok(count)
}

/// An error of a request that the panic met is in words.
fn check_error(error: &str) {
    assert!(
        error.contains("ObjectStore") || error.contains("ImageIndex"),
        "{error}"
    );
}

fn content(number: usize) -> Vec<u8> {
    format!("content {number}").into_bytes()
}

#[test]
fn objects_that_wait_when_their_actor_panics_are_answered_and_none_is_lost() {
    const NAME: &str = "objects_that_wait_when_their_actor_panics_are_answered_and_none_is_lost";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let home = Home::new().unwrap();
    let server = start(&home).unwrap();
    let trace = home.path().join("trace");
    let inject = format!("inject=fdatasync:{HELD}:when=1");
    let strace = Strace::attach(&server, &trace, &["-e", "trace=fdatasync", "-e", &inject]).unwrap();
    let answers: Mutex<Vec<(usize, Result<()>)>> = Mutex::default();
    std::thread::scope(|scope| {
        let caller = |number: usize| {
            let (server, answers) = (&server, &answers);
            move || {
                let answer = store(server, &[&content(number)]);
                answers.lock().unwrap().push((number, answer));
            }
        };
        // The writer is held with this one; the others wait behind it.
        scope.spawn(caller(0));
        until("the first is staged", || Ok(staged(&server)? >= 1)).unwrap();
        for number in 1..=QUEUED {
            scope.spawn(caller(number));
        }
        until("all are staged", || Ok(staged(&server)? > QUEUED)).unwrap();
        panic_of(&server, "ObjectStore").unwrap();
        // The flush is still held: they do not wait for it.
        until("an answer", || Ok(!answers.lock().unwrap().is_empty())).unwrap();
        for (_, answer) in answers.lock().unwrap().iter() {
            check_error(&answer.as_ref().unwrap_err().to_string());
        }
        strace.detach().unwrap();
    });
    let answers = answers.into_inner().unwrap();
    assert_eq!(answers.len(), QUEUED + 1);
    let is_there = |server: &ImageServer, number: usize| {
        object_sizes(server, &[hash::of(&content(number))]).unwrap()[0] == content(number).len() as u64
    };
    for (number, answer) in &answers {
        match answer {
            Ok(()) => assert!(is_there(&server, *number), "{number} is lost"),
            Err(error) => {
                check_error(&error.to_string());
                store(&server, &[&content(*number)])
                    .context("the next attempt")
                    .unwrap();
            }
        }
    }
    server.kill().unwrap();
    let server = home.start(INSECURE).unwrap();
    assert!((0..=QUEUED).all(|number| is_there(&server, number)));
}

#[test]
fn images_that_wait_when_their_actor_panics_are_answered_and_none_is_lost() {
    const NAME: &str = "images_that_wait_when_their_actor_panics_are_answered_and_none_is_lost";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let home = Home::new().unwrap();
    let server = start(&home).unwrap();
    store(&server, &[b"content"]).unwrap();
    let contents = Contents::from([("file".to_owned(), b"content".to_vec())]);
    let trace = home.path().join("trace");
    let inject = format!("inject=fsync:{HELD}:when=1");
    let told = Mutex::new(Told::default());
    let errors: Mutex<Vec<String>> = Mutex::default();
    let strace = Strace::attach(&server, &trace, &["-e", "trace=fsync", "-e", &inject]).unwrap();
    let temporaries = || -> Result<bool> {
        Ok(std::fs::read_dir(home.images())?.any(|file| {
            file.is_ok_and(|file| {
                let name = file.file_name();
                name.to_string_lossy().starts_with("image") && name.to_string_lossy().ends_with('~')
            })
        }))
    };
    std::thread::scope(|scope| {
        for number in 0..QUEUED {
            let (server, contents, told, errors) = (&server, &contents, &told, &errors);
            scope.spawn(move || {
                let name = format!("image{number}");
                told.lock().unwrap().ask_add(&name, contents, Time::ZERO);
                match add(server, &name, image_of(contents, Time::ZERO)) {
                    Ok(()) => told.lock().unwrap().acknowledge_add(&name),
                    Err(error) => errors.lock().unwrap().push(error.to_string()),
                }
            });
        }
        until("one is being written", temporaries).unwrap();
        panic_of(&server, "ImageIndex").unwrap();
        // The flush is still held: nobody waits for it.
        until("an answer", || Ok(!errors.lock().unwrap().is_empty())).unwrap();
        strace.detach().unwrap();
    });
    for error in errors.into_inner().unwrap() {
        check_error(&error);
    }
    let mut told = told.into_inner().unwrap();
    until("service", || {
        Ok(add(&server, "after", image_of(&contents, Time::ZERO))
            .map_or_else(|error| error.to_string().contains("already exists"), |()| true))
    })
    .unwrap();
    told.ask_add("after", &contents, Time::ZERO);
    told.acknowledge_add("after");
    told.check(&home, &server).unwrap();
    server.kill().unwrap();
    let server = home.start(INSECURE).unwrap();
    // What had been written when its caller got an error was settled above, and stays as it was.
    told.check(&home, &server).unwrap();
}
