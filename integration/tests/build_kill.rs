//! SIGKILL of the image builder in every phase of a build: nothing of the build is left after the next start, no half image is published,
//! and the queue goes on.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP, Building, Imaginator, Workplace, lacks_root};
use integration::random::{Random, rounds};
use integration::stalling_git::StallingGit;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Environment variable with the number of rounds.
const ROUNDS_VARIABLE: &str = "IMAGEWRIGHT_BUILDER_KILL_ROUNDS";
const SHORT_ROUNDS: usize = 6;
/// Longest wait for what the kernel does by itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of the log after which it is killed: one in each phase, and none for a moment before the first.
const MOMENTS: [&str; 11] = [
    "",
    "Copying manifest tree:",
    "Running command:",
    "Created image working directory:",
    "Source image:",
    "in the first script",
    "packages: update",
    "packages: install",
    "in the second script",
    "Scanning file-system",
    "in the test",
];

/// Of the repository that is never had.
const PASSWORD: &str = "told-to-the-repository-alone";

/// A stream with something to do in every phase, built from a bootstrap that is built with it; and one from a repository that hangs.
fn place(repository: &StallingGit) -> Workplace {
    let mut place = Workplace::new().unwrap();
    // Left over by a script: it must end with the build, and with the daemon.
    let daemon =
        "#! /bin/sh\nsetsid nohup sleep 123456 >/dev/null 2>&1 &\necho in the first script; sleep 0.3\n";
    place
        .add_stream(
            "users/long",
            BOOTSTRAP,
            &[
                ("files/etc/long", "long\n"),
                ("pre-install-scripts/one", daemon),
                ("package-list", "less\n"),
                (
                    "scripts/two",
                    "#! /bin/sh\necho in the second script; sleep 0.3\n",
                ),
                ("tests/three", "#! /bin/sh\necho in the test; sleep 0.1\n"),
            ],
        )
        .unwrap();
    place
        .add_stream("users/other", BOOTSTRAP, &[("files/etc/other", "other\n")])
        .unwrap();
    let url = format!("http://someone:{PASSWORD}@127.0.0.1:{}/r.git", repository.port);
    place
        .set_stream("users/stalled", json!({ "ManifestUrl": url }))
        .unwrap();
    place
}

/// Files below that have the repository's password in them.
fn files_that_tell(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files_that_tell(&entry.path()));
        } else if kind.is_file() {
            let content = fs::read(entry.path()).unwrap_or_default();
            let mut parts = content.windows(PASSWORD.len());
            if parts.any(|part| part == PASSWORD.as_bytes()) {
                found.push(entry.path());
            }
        }
    }
    found
}

/// Reads the log up to a line with `moment` in it, or to its end.
fn follow_to(building: &mut Building, moment: &str) {
    let mut line = Vec::new();
    while !moment.is_empty() && !String::from_utf8_lossy(&line).contains(moment) {
        line.clear();
        if building.log.read_until(b'\n', &mut line).unwrap() == 0 {
            return;
        }
    }
}

/// Processes whose command line or environment names the place.
fn processes_of(place: &Path) -> Vec<String> {
    let needle = place.to_str().unwrap().as_bytes();
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) || name == own {
            continue;
        }
        let told = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let line = told("cmdline");
        let is_ours = [&line, &told("environ")]
            .iter()
            .any(|text| text.windows(needle.len()).any(|window| window == needle));
        let is_left_over = line.windows(6).any(|window| window == b"123456");
        let is_sandbox = line.starts_with(b"imagewright-sandbox");
        let is_server = String::from_utf8_lossy(&line).contains("imageserver");
        if (is_ours || is_left_over || is_sandbox) && !is_server {
            found.push(format!(
                "{name}: {}",
                String::from_utf8_lossy(&line).replace('\0', " ")
            ));
        }
    }
    found
}

fn mounts_of(place: &Path) -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    mounts
        .lines()
        .filter(|line| line.contains(place.to_str().unwrap()))
        .map(str::to_owned)
        .collect()
}

/// Control groups of builds, wherever the machine has them.
fn groups() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![Path::new("/sys/fs/cgroup").to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with("imagewright-builds-")
                {
                    found.insert(entry.path().display().to_string());
                }
                waiting.push(entry.path());
            }
        }
    }
    found
}

fn until_empty(what: &str, mut look: impl FnMut() -> Vec<String>) {
    let started = Instant::now();
    loop {
        let left = look();
        if left.is_empty() {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "left {what}: {left:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every image that is there is whole: all its objects are there, and it has the files its stream gives it.
fn images_are_whole(place: &Workplace) -> usize {
    let listed = place.images.tool(ADMINISTRATOR).run(&["list"]).unwrap();
    let names: Vec<&str> = listed.out.lines().filter(|line| !line.is_empty()).collect();
    for name in &names {
        let target = place.path().join("got");
        place.unpack(name, &target).unwrap();
        let file = match name.split('/').nth(1) {
            Some("long") => "etc/long",
            Some("other") => "etc/other",
            _ => "etc/passwd",
        };
        assert!(target.join(file).is_file(), "{name} has no {file}");
        assert!(target.join("bin/generic-packager").is_file(), "{name}");
        fs::remove_dir_all(target).unwrap();
    }
    names.len()
}

/// Starts it; what an earlier one left is gone then.
fn start_after(place: &Workplace, when: &str) -> Imaginator {
    let left = place.trees().unwrap();
    let daemon = place.start(&["-maximumConcurrentBuilds=1"]).unwrap();
    let still: Vec<&PathBuf> = left.iter().filter(|tree| tree.exists()).collect();
    assert!(still.is_empty(), "{when}: the start left trees: {still:#?}");
    daemon
}

#[test]
fn after_a_kill_in_any_phase_nothing_is_left_and_the_queue_goes_on() {
    if lacks_root("after_a_kill_in_any_phase_nothing_is_left_and_the_queue_goes_on") {
        return;
    }
    let repository = StallingGit::start().unwrap();
    let place = place(&repository);
    let before = groups();
    let first = Random::for_test("build_kill").below(MOMENTS.len());
    for round in 0..rounds(ROUNDS_VARIABLE, SHORT_ROUNDS) {
        let told = repository.told();
        let daemon = start_after(&place, &format!("round {round}"));
        assert_eq!(groups(), before, "round {round}: the start left control groups");
        let is_from_git = round % (MOMENTS.len() + 1) == 0;
        let (stream, moment) = if is_from_git {
            ("users/stalled", "Cloning repository:")
        } else {
            ("users/long", MOMENTS[(first + round) % MOMENTS.len()])
        };
        let mut building = place.begin(ADMINISTRATOR, &daemon, stream).unwrap();
        let waiting = place.begin(ADMINISTRATOR, &daemon, "users/other").unwrap();
        follow_to(&mut building, moment);
        if is_from_git {
            // Both hang: the build, and who finds out which stream is built on which.
            repository.wait_for(told + 2).unwrap();
        }
        daemon.kill().unwrap();
        let _ = (building.kill(), waiting.kill());
        until_empty("processes", || processes_of(place.path()));
        until_empty("mounts", || mounts_of(place.path()));
        assert_eq!(
            files_that_tell(&place.temporary()),
            Vec::<PathBuf>::new(),
            "round {round}: the password stays"
        );
    }
    repository.hang_up();
    let daemon = start_after(&place, "the last start");
    assert_eq!(groups(), before);
    images_are_whole(&place);
    place.built(&daemon, "users/long").unwrap();
    place.built(&daemon, "users/other").unwrap();
    assert!(images_are_whole(&place) >= 3);
    assert_eq!(daemon.stop().unwrap(), Some(0));
    assert_eq!(place.trees().unwrap(), Vec::<PathBuf>::new());
}
