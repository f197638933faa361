//! SIGKILL of the image builder in every phase of a build: nothing of the build is left after the next start, no half image is published,
//! and the queue goes on.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP, Building, Imaginator, Workplace, lacks_root};
use integration::random::{Random, rounds};
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

/// A stream with something to do in every phase, built from a bootstrap that is built with it.
fn place() -> Workplace {
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
    place
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

#[test]
fn after_a_kill_in_any_phase_nothing_is_left_and_the_queue_goes_on() {
    if lacks_root("after_a_kill_in_any_phase_nothing_is_left_and_the_queue_goes_on") {
        return;
    }
    let place = place();
    let before = groups();
    let first = Random::for_test("build_kill").below(MOMENTS.len());
    for round in 0..rounds(ROUNDS_VARIABLE, SHORT_ROUNDS) {
        let daemon: Imaginator = place.start(&["-maximumConcurrentBuilds=1"]).unwrap();
        assert_eq!(
            place.trees().unwrap(),
            Vec::<PathBuf>::new(),
            "round {round}: the start left trees"
        );
        assert_eq!(groups(), before, "round {round}: the start left control groups");
        let moment = MOMENTS[(first + round) % MOMENTS.len()];
        let mut building = place.begin(ADMINISTRATOR, &daemon, "users/long").unwrap();
        let waiting = place.begin(ADMINISTRATOR, &daemon, "users/other").unwrap();
        follow_to(&mut building, moment);
        daemon.kill().unwrap();
        let _ = (building.kill(), waiting.kill());
        until_empty("processes", || processes_of(place.path()));
        until_empty("mounts", || mounts_of(place.path()));
    }
    let daemon = place.start(&["-maximumConcurrentBuilds=1"]).unwrap();
    assert_eq!(place.trees().unwrap(), Vec::<PathBuf>::new());
    assert_eq!(groups(), before);
    images_are_whole(&place);
    place.built(&daemon, "users/long").unwrap();
    place.built(&daemon, "users/other").unwrap();
    assert!(images_are_whole(&place) >= 3);
    assert_eq!(daemon.stop().unwrap(), Some(0));
    assert_eq!(place.trees().unwrap(), Vec::<PathBuf>::new());
}
