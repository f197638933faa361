//! A stream that cannot be built: its log says which step failed and why, nothing of it is published or left behind, and other streams go on.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP, Imaginator, Workplace, lacks_root};
use serde_json::json;
use std::fs;
use std::io::BufRead;

/// Streams, each with something wrong that its name tells, and one that is right.
fn place() -> Workplace {
    let mut place = Workplace::new().unwrap();
    let script = |text: &str| format!("#! /bin/sh\n{text}\n");
    let streams = [
        ("good/one", vec![("files/etc/good", "good\n".to_owned())]),
        (
            "bad/script",
            vec![("scripts/fails", script("echo some output; exit 3"))],
        ),
        (
            "bad/test",
            vec![("tests/fails", script("echo not as it should be; exit 1"))],
        ),
        (
            "bad/hangs",
            vec![("scripts/hangs", script("echo begins; sleep 100000"))],
        ),
        (
            "bad/fills",
            vec![("scripts/fills", script("dd if=/dev/zero of=/fill bs=1M"))],
        ),
        ("bad/filter", vec![("filter", "/ok\n(\n".to_owned())]),
    ];
    for (name, files) in streams {
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, content)| (*path, content.as_str()))
            .collect();
        place.add_stream(name, BOOTSTRAP, &files).unwrap();
    }
    fs::create_dir_all(place.manifest("bad/manifest")).unwrap();
    fs::write(
        place.manifest("bad/manifest").join("manifest"),
        "{ \"SourceImage\": ",
    )
    .unwrap();
    let url = format!("dir://{}", place.manifest("bad/manifest").display());
    place
        .set_stream("bad/manifest", json!({ "ManifestUrl": url }))
        .unwrap();
    let nowhere = place.path().join("no-such-repository");
    place
        .set_stream(
            "bad/git",
            json!({ "ManifestUrl": format!("file://{}", nowhere.display()) }),
        )
        .unwrap();
    let nobody_listens = format!(
        "http://127.0.0.1:{}/r.git",
        integration::server::free_port().unwrap()
    );
    place
        .set_stream("bad/network", json!({ "ManifestUrl": nobody_listens }))
        .unwrap();
    place
}

/// Builds it, which must fail; the log.
fn fails(place: &Workplace, daemon: &Imaginator, stream: &str) -> String {
    let outcome = place.build(daemon, stream).unwrap();
    assert_eq!(outcome.code, 1, "{stream}: {} {}", outcome.out, outcome.err);
    assert_eq!(outcome.out, "", "{stream}");
    outcome.err
}

/// Nothing of builds is left.
fn is_tidy(place: &Workplace) {
    assert_eq!(place.trees().unwrap(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_log_says_which_step_failed_and_why_and_other_streams_go_on() {
    if lacks_root("the_log_says_which_step_failed_and_why_and_other_streams_go_on") {
        return;
    }
    let place = place();
    let daemon = place
        .start(&["-maximumConcurrentBuilds=3", "-maximumConcurrentBuildsPerUser=0"])
        .unwrap();
    place.built(&daemon, BOOTSTRAP).unwrap();
    for (stream, told) in [
        (
            "bad/script",
            vec![
                "some output\n",
                "error processing manifest: error running script: fails: exit status 3",
            ],
        ),
        ("bad/test", vec!["not as it should be", "1 tests failed"]),
        ("bad/manifest", vec!["error reading manifest file"]),
        ("bad/filter", vec!["filter"]),
        ("bad/git", vec!["no-such-repository"]),
        ("bad/network", vec!["127.0.0.1"]),
    ] {
        let log = fails(&place, &daemon, stream);
        for text in told {
            assert!(log.contains(text), "{stream}: {text:?} is not in\n{log}");
        }
        let (status, page) = daemon.page("/").unwrap();
        assert_eq!(status, 200);
        assert!(page.contains(stream), "{stream} is not among the failed ones");
    }
    place.built(&daemon, "good/one").unwrap();
    is_tidy(&place);
    let listed = place.images.tool(ADMINISTRATOR).run(&["list"]).unwrap();
    assert!(!listed.out.contains("bad/"), "{}", listed.out);
}

#[test]
fn a_script_that_hangs_holds_up_nobody_and_ends_with_its_time() {
    if lacks_root("a_script_that_hangs_holds_up_nobody_and_ends_with_its_time") {
        return;
    }
    let place = place();
    let daemon = place
        .start(&[
            "-maximumConcurrentBuilds=2",
            "-maximumConcurrentBuildsPerUser=0",
            "-maximumBuildDuration=20s",
        ])
        .unwrap();
    place.built(&daemon, BOOTSTRAP).unwrap();
    let mut hanging = place.begin(ADMINISTRATOR, &daemon, "bad/hangs").unwrap();
    let mut line = String::new();
    while !line.contains("begins") {
        line.clear();
        assert_ne!(hanging.log.read_line(&mut line).unwrap(), 0, "the build ended");
    }
    place.built(&daemon, "good/one").unwrap();
    let outcome = hanging.end().unwrap();
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.err.contains("error running script: hangs"),
        "{}",
        outcome.err
    );
    is_tidy(&place);
}

#[test]
fn a_script_that_fills_the_disk_fails_and_leaves_room_for_others() {
    if lacks_root("a_script_that_fills_the_disk_fails_and_leaves_room_for_others") {
        return;
    }
    let place = place();
    let daemon = place.start(&["-buildDiskLimit=200MiB"]).unwrap();
    place.built(&daemon, BOOTSTRAP).unwrap();
    let log = fails(&place, &daemon, "bad/fills");
    assert!(log.contains("fills"), "{log}");
    place.built(&daemon, "good/one").unwrap();
    is_tidy(&place);
}
