//! Who stops what watches a command does not outlive its end.
#![allow(clippy::unwrap_used, clippy::expect_used)] // Tests.

mod common;

use common::{Tree, eventually, run, runs};
use sandbox::{Command, Outcome};
use std::sync::mpsc;
use std::time::Duration;

/// Longest wait for an end, far more than it takes.
const MOST_WAIT: Duration = Duration::from_secs(60);

/// What comes of something that could wait for ever.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(MOST_WAIT).expect("it waits for ever")
}

fn pid(number: u32) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(number.cast_signed()).unwrap()
}

fn children(process: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
    list.split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

#[test]
fn a_command_that_stops_its_process_group_stops_nothing_outside() {
    let Some(tree) = Tree::new() else { return };
    let spec = tree.spec("kill -STOP 0; echo went on; exit 3");
    let (outcome, output) = in_time(move || run(&spec));
    assert_eq!((outcome, output.as_str()), (Outcome::Exited(3), "went on\n"));
}

#[test]
fn after_stopping_its_process_group_a_command_ends_with_its_supervisor() {
    let Some(tree) = Tree::new() else { return };
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    // Process 1 cannot be stopped from inside, what it starts later was not there yet.
    let running = command.start(&tree.spec("kill -STOP 0; sleep 3611.25")).unwrap();
    eventually("it runs", || runs("3611.25"));
    rustix::process::kill_process(pid(running.process()), rustix::process::Signal::KILL).unwrap();
    eventually("it has ended", || !runs("3611.25"));
    assert!(running.wait().is_err());
}

#[test]
fn the_end_does_not_wait_for_a_keeper_that_was_stopped() {
    let Some(tree) = Tree::new() else { return };
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let running = command.start(&tree.spec("sleep 3612.25")).unwrap();
    eventually("it runs", || runs("3612.25"));
    for keeper in children(running.process()) {
        rustix::process::kill_process(pid(keeper), rustix::process::Signal::STOP).unwrap();
    }
    running.canceller().cancel();
    assert_eq!(in_time(move || running.wait().unwrap()), Outcome::Cancelled);
    assert!(!runs("3612.25"));
}
