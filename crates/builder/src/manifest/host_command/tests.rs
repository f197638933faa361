//! Real programs, ended in all ways.

use std::sync::{Arc, Mutex};

use super::*;
use crate::Phase;

/// Cancelled from the start, or never.
struct Plain {
    is_cancelled: bool,
}

impl Watcher for Plain {
    fn log(&self, _bytes: &[u8]) {}
    fn phase(&self, _phase: Phase) {}
    fn log_so_far(&self) -> Vec<u8> {
        Vec::new()
    }
    fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }
    fn on_cancel(&self, end: Box<dyn Fn() + Send + Sync>) -> Box<dyn std::any::Any + Send> {
        if self.is_cancelled {
            end();
        }
        Box::new(())
    }
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(120)
}

const NOT_CANCELLED: Plain = Plain { is_cancelled: false };

fn ends(until: Instant, watcher: &Plain) -> Ends<'_> {
    Ends {
        until,
        watcher,
        disk: DiskBound::new(std::path::Path::new("/proc/self/fd"), u64::MAX),
    }
}

#[test]
fn all_it_prints_is_given_and_its_end_is_told() {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let status = run(
        "sh",
        shell("echo out; echo err >&2; head -c 100000 /dev/zero; exit 3"),
        ends(far(), &NOT_CANCELLED),
        |bytes| output.extend_from_slice(bytes),
        |bytes| errors.extend_from_slice(bytes),
    )
    .unwrap();
    assert_eq!(exit_text(status), "exit status 3");
    assert_eq!(output.len(), 4 + 100_000);
    assert_eq!(errors, b"err\n");
}

#[test]
fn what_it_left_running_ends_with_it() {
    let seen = Arc::new(Mutex::new(String::new()));
    let status = run(
        "sh",
        shell("sleep 3610 & echo $!"),
        ends(far(), &NOT_CANCELLED),
        |bytes| seen.lock().unwrap().push_str(&String::from_utf8_lossy(bytes)),
        |_| {},
    )
    .unwrap();
    assert!(status.success());
    let left: i32 = seen.lock().unwrap().trim().parse().unwrap();
    let still_runs = || {
        let state = std::fs::read_to_string(format!("/proc/{left}/stat")).unwrap_or_default();
        state.contains("(sleep)") && !state.contains(") Z ")
    };
    let began = Instant::now();
    while still_runs() {
        assert!(began.elapsed() < Duration::from_secs(60), "it still runs");
        std::thread::yield_now();
    }
}

#[test]
fn time_over_and_a_cancelled_build_end_it() {
    let soon = Instant::now() + Duration::from_millis(200);
    let error = run(
        "sh",
        shell("trap '' TERM; sleep 3611"),
        ends(soon, &NOT_CANCELLED),
        |_| {},
        |_| {},
    )
    .unwrap_err();
    assert!(error.to_string().contains("took too long"), "{error}");
    let cancelled = Plain { is_cancelled: true };
    let error = run("sh", shell("sleep 3612"), ends(far(), &cancelled), |_| {}, |_| {}).unwrap_err();
    assert!(error.is_cancelled());
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let command = Command::new("/no/such/git");
    let error = run(
        "/no/such/git",
        command,
        ends(far(), &NOT_CANCELLED),
        |_| {},
        |_| {},
    )
    .unwrap_err();
    assert!(
        error.to_string().starts_with("/no/such/git: no such file"),
        "{error}"
    );
}

#[test]
fn what_writes_too_much_is_ended_at_once_and_between_two_commands() {
    let place = tempfile::tempdir().unwrap();
    let bound = |most_bytes| Ends {
        disk: DiskBound::new(place.path(), most_bytes),
        ..ends(far(), &NOT_CANCELLED)
    };
    let write = |bytes: u64, and_then: &str| {
        let path = place.path().join("file");
        shell(&format!(
            "head -c {bytes} /dev/urandom > {}; {and_then}",
            path.display()
        ))
    };
    run("sh", write(1 << 20, "exit 0"), bound(2 << 20), |_| {}, |_| {}).unwrap();
    // It would go on for an hour, or is over before anybody looks.
    for and_then in ["sleep 3613", "exit 0"] {
        let error = run("sh", write(4 << 20, and_then), bound(2 << 20), |_| {}, |_| {}).unwrap_err();
        assert_eq!(
            error.to_string(),
            "sh: the repository takes more than 2 MiB on the disk, which is the limit"
        );
    }
    // A file larger than all may be is not even begun to be kept.
    let mut command = write(4 << 20, "exit 0");
    super::super::bounds::limit(&mut command, 2 << 20);
    run("sh", command, bound(2 << 20), |_| {}, |_| {}).unwrap();
    let length = place.path().join("file").metadata().unwrap().len();
    assert_eq!(length, 2 << 20);
}

#[test]
fn where_memory_lacks_it_is_ended_before_this_program_which_may_be_among_the_first_itself() {
    const FILE: &str = "/proc/self/oom_score_adj";
    let score = || {
        let mut command = shell("cat /proc/self/oom_score_adj");
        super::super::bounds::limit(&mut command, 1 << 30);
        let mut score = Vec::new();
        let takes = |bytes: &[u8]| score.extend_from_slice(bytes);
        run("sh", command, ends(far(), &NOT_CANCELLED), takes, |_| {}).unwrap();
        String::from_utf8(score).unwrap().trim().parse::<i32>().unwrap()
    };
    let ours = std::fs::read_to_string(FILE).unwrap();
    assert_eq!(score(), ours.trim().parse::<i32>().unwrap().max(500));
    // As in a container that is to go before all others. Nobody may be made less likely than that without a right.
    std::fs::write(FILE, "1000").unwrap();
    let of_the_first = score();
    std::fs::write(FILE, ours.trim()).unwrap();
    assert_eq!(of_the_first, 1000);
}
