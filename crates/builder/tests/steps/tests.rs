//! Tests of an image (`imaginator.md §14.4`).

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::recorder::Recorder;
use crate::tree::{Place, assert_in_order, write};

fn test(place: &Place, path: &str, commands: &str, mode: u32) {
    let path = place.root().join("tests").join(path);
    write(&path, &format!("#! /bin/sh\n{commands}\n"));
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn everything_below_tests_that_can_be_run_is_run() {
    let Some(place) = Place::new() else { return };
    test(&place, "a/b/good", "echo output of good", 0o755);
    test(&place, "inherited", "true", 0o700);
    test(&place, "not-a-test", "false", 0o655);
    symlink("/bin/false", place.root().join("tests/link")).unwrap();
    builder::tests::run(&place.room()).unwrap();
    let log = place.log();
    assert!(log.starts_with("Running 2 tests\n"), "{log}");
    assert_in_order(&log, &["output of good\n/tests/a/b/good passed in "]);
    assert_in_order(&log, &["/tests/inherited passed in "]);
    assert!(log.ends_with("s\n\n"), "{log}");
}

#[test]
fn an_image_without_tests_says_nothing() {
    let Some(place) = Place::new() else { return };
    builder::tests::run(&place.room()).unwrap();
    assert_eq!(place.log(), "");
    // Nor does one whose tests are a link to the host's.
    symlink("/usr/bin", place.root().join("tests")).unwrap();
    builder::tests::run(&place.room()).unwrap();
    assert_eq!(place.log(), "");
}

#[test]
fn tests_that_fail_are_counted_and_the_others_run_all_the_same() {
    let Some(place) = Place::new() else { return };
    test(&place, "bad", "echo why; exit 3", 0o755);
    test(&place, "hangs", "echo begun; sleep 3640", 0o755);
    test(&place, "talks", "seq 1 100000; echo end", 0o755);
    test(&place, "good", "[ -z \"$INJECTED\" ]", 0o755);
    let error = builder::tests::run(&place.room()).unwrap_err();
    assert_eq!(error.to_string(), "2 tests failed");
    let log = place.log();
    assert_in_order(&log, &["why\nerror running: /tests/bad: exit status 3\n\n"]);
    assert_in_order(&log, &["begun\nerror running: /tests/hangs: test timed out\n\n"]);
    assert_in_order(&log, &["/tests/good passed in "]);
    // 4096 bytes of it, and no more.
    assert_in_order(&log, &["1040\n104/tests/talks passed in "]);
    assert!(!log.contains("end\n"), "{log}");
}

#[test]
fn a_cancelled_build_waits_for_no_test() {
    let Some(place) = Place::new() else { return };
    let place = place.watched_by(Recorder::cancelling_at("quick passed"));
    test(&place, "quick", "true", 0o755);
    test(&place, "slow", "sleep 3641", 0o755);
    let error = builder::tests::run(&place.room()).unwrap_err();
    assert!(error.is_cancelled());
    // Ended by the cancel, not by its own limit.
    assert!(!place.log().contains("timed out"), "{}", place.log());
}
