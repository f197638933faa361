//! Tests of an image (`imaginator.md §14.4`).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{FileType, Mode, OFlags};
use sandbox::Outcome;

use crate::in_root::{DIRECTORY, Tree, look, names};
use crate::packages::PACKAGER;
use crate::sandbox_run::{Room, Run};
use crate::step_error::{At, StepError};

/// The longest a test may take.
const TEST_TIME: Duration = Duration::from_secs(10);
/// Bytes kept of what a test prints.
const TEST_OUTPUT_BYTES: usize = 4096;
/// Tests that run at the same time.
const TESTS_AT_ONCE: usize = 32;
/// Tests of an image, at most.
const MOST_TESTS: usize = 10_000;
/// Mode bit of what its owner may run.
const OWNER_MAY_RUN: u32 = 0o100;

struct Tested {
    program: String,
    took: Duration,
    output: Vec<u8>,
    error: Option<String>,
}

/// Runs everything below `/tests` that can be run, several at a time; what each printed goes to the build log when it has ended.
///
/// # Errors
/// `N tests failed`.
pub fn run(room: &Room) -> Result<(), StepError> {
    let programs = programs(room.root())?;
    if programs.is_empty() {
        return Ok(());
    }
    room.say(format!("Running {} tests", programs.len()));
    let room = room.without_binds();
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    let failed = std::thread::scope(|scope| {
        for _ in 0..programs.len().min(TESTS_AT_ONCE) {
            let (sender, room, next, programs) = (sender.clone(), &room, &next, &programs);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(program) = programs.get(number) else {
                        return;
                    };
                    // Who receives stays until all are there.
                    let _ = sender.send(run_one(room, number, program));
                }
            });
        }
        drop(sender);
        results.iter().filter(|tested| tell(&room, tested)).count()
    });
    if room.watcher().is_cancelled() {
        return Err(StepError::Cancelled);
    }
    match failed {
        0 => Ok(()),
        failed => Err(StepError::TestsFailed(failed)),
    }
}

/// Writes to the log what became of a test; whether it failed.
fn tell(room: &Room, tested: &Tested) -> bool {
    room.watcher().log(&tested.output);
    let program = &tested.program;
    match &tested.error {
        Some(error) => room.say(format!("error running: {program}: {error}\n")),
        None => room.say(format!("{program} passed in {}\n", human::duration(tested.took))),
    }
    tested.error.is_some()
}

fn run_one(room: &Room, number: usize, program: &str) -> Tested {
    let began = Instant::now();
    let mut output = Vec::new();
    let run = Run {
        argv: &[PACKAGER, "run", program],
        ..Run::default()
    };
    let outcome = room.run_beside_others(run, &format!("test{number}"), TEST_TIME, |bytes| {
        let room_left = TEST_OUTPUT_BYTES.saturating_sub(output.len());
        output.extend_from_slice(&bytes[..bytes.len().min(room_left)]);
    });
    let error = match outcome {
        Ok(Outcome::Exited(0)) => None,
        Ok(Outcome::TimedOut(_)) => Some("test timed out".to_owned()),
        Ok(other) => Some(other.to_string()),
        Err(error) => Some(error.to_string()),
    };
    Tested {
        program: program.to_owned(),
        took: began.elapsed(),
        output,
        error,
    }
}

/// Paths in the image of what can be run below `/tests`, itself no link, in order.
fn programs(root: &Path) -> Result<Vec<String>, StepError> {
    let tree = Tree::image(root).at(root)?;
    let mut found = Vec::new();
    let mut left = vec![PathBuf::from("tests")];
    while let Some(path) = left.pop() {
        // Links are not followed, so what is open here was reached by directories only.
        let Ok((parent, name)) = tree.parent(&path) else {
            continue;
        };
        let Ok((kind, stat)) = look(rustix::fd::AsFd::as_fd(&parent), name) else {
            continue;
        };
        let in_image = Path::new("/").join(&path);
        match kind {
            FileType::Directory => {
                let inside = rustix::fs::openat(&parent, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty());
                let below = names(inside.at(&in_image)?).at(&in_image)?;
                left.extend(below.into_iter().rev().map(|name| path.join(name)));
            }
            FileType::RegularFile if stat.st_mode & OWNER_MAY_RUN != 0 => {
                let Some(program) = in_image.to_str() else {
                    return Err(StepError::wrong(format!(
                        "{}: names of tests must be UTF-8",
                        in_image.display()
                    )));
                };
                found.push(program.to_owned());
            }
            _ => {}
        }
        if found.len() > MOST_TESTS {
            return Err(StepError::wrong(format!("more than {MOST_TESTS} tests")));
        }
    }
    Ok(found)
}
