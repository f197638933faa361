//! Who goes first when memory lacks, and limits of commands that run at the same time.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Tree, run, skip_without};
use sandbox::{Command, Hierarchies, Outcome};
use std::path::{Path, PathBuf};

#[test]
fn a_command_is_the_first_to_go_for_lack_of_memory_and_cannot_protect_itself() {
    let Some(tree) = Tree::new() else { return };
    let script = "cat /proc/self/oom_score_adj; (echo -1000 >/proc/self/oom_score_adj) 2>&1; cat /proc/self/oom_score_adj";
    let (outcome, output) = run(&tree.spec(script));
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!((lines[0], *lines.last().unwrap()), ("1000", "1000"), "{output}");
}

/// Whether we have the right to lower a score, which containers often lack.
fn may_protect() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let rights = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .unwrap();
    u64::from_str_radix(rights.trim(), 16).unwrap() & 1 << 24 != 0
}

/// With the right to it the watcher is protected; without, it stands where this program does, and the command before it all the same.
#[test]
fn who_watches_a_command_is_not_taken_for_it() {
    let Some(tree) = Tree::new() else { return };
    let ours = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    let most = if may_protect() {
        -900
    } else {
        ours.trim().parse().unwrap()
    };
    assert!(most < 1000, "a command's score, seen in the test above");
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let mut running = command.start(&tree.spec("echo begun; sleep 3613.25")).unwrap();
    let (canceller, process) = (running.canceller(), running.process());
    running.read_output(|_| {
        let score = std::fs::read_to_string(format!("/proc/{process}/oom_score_adj")).unwrap();
        assert!(score.trim().parse::<i32>().unwrap() <= most, "{score}");
        canceller.cancel();
    });
    assert_eq!(running.wait().unwrap(), Outcome::Cancelled);
}

/// Where the group is that limits processes, in one layout of control groups or the other.
fn group(name: &str) -> Option<PathBuf> {
    let ours = Path::new("imagewright-sandboxes").join(name);
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"];
    roots
        .map(|root| Path::new(root).join(&ours))
        .into_iter()
        .find(|path| path.is_dir())
}

#[test]
fn commands_that_run_at_the_same_time_share_the_limits_of_their_build() {
    let Some(tree) = Tree::new() else { return };
    if !Hierarchies::of_this_machine().limit_processes() {
        return skip_without("a control group that limits processes");
    }
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let twenty = "i=0; while [ $i -lt 20 ]; do sleep 3614.25 & i=$((i+1)); done; echo all";
    let spec = |name: &str, script: &str| {
        let mut spec = tree.spec(script);
        spec.group = format!("{}/{name}", spec.group);
        spec.limits.processes = Some(35);
        spec
    };
    // Either may have that many.
    assert_eq!(run(&spec("two", twenty)).1, "all\n");
    let shared = tree.spec("").group;
    assert_eq!(group(&shared), None);
    let mut first = command
        .start(&spec("one", &format!("{twenty}; sleep 3614.25")))
        .unwrap();
    let canceller = first.canceller();
    first.read_output(|line| {
        assert_eq!(line.text(), "all");
        let (_, output) = run(&spec("two", twenty));
        assert!(output.contains("fork") && !output.contains("all"), "{output}");
        assert!(group(&format!("{shared}/one")).is_some());
        canceller.cancel();
    });
    assert_eq!(first.wait().unwrap(), Outcome::Cancelled);
    assert_eq!(group(&shared), None);
}
