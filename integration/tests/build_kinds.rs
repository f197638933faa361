//! What image builders are asked for most: a bootstrap, a stream built on it, one built on that.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP, Workplace, lacks_root};
use serde_json::json;
use std::fs;

#[test]
fn a_stream_is_built_from_a_source_that_is_built_first() {
    if lacks_root("a_stream_is_built_from_a_source_that_is_built_first") {
        return;
    }
    let mut place = Workplace::new().unwrap();
    place
        .add_stream(
            "users/base",
            BOOTSTRAP,
            &[
                ("files/etc/base", "of the base\n"),
                ("package-list", "less\n"),
                (
                    "scripts/10_b",
                    "#! /bin/sh\necho second; id -u; echo $IMAGE_STREAM\n",
                ),
                ("scripts/9_a", "#! /bin/sh\necho first; echo x >/srv-was-here\n"),
                ("tests/base", "#! /bin/sh\ntest -f /etc/base\n"),
            ],
        )
        .unwrap();
    place
        .add_stream("users/app", "users/base", &[("files/etc/app", "of the app\n")])
        .unwrap();
    let daemon = place.start(&[]).unwrap();
    let name = place.built(&daemon, "users/app").unwrap();
    assert!(name.starts_with("users/app/"), "{name}");
    let target = place.path().join("got");
    place.unpack(&name, &target).unwrap();
    assert_eq!(
        fs::read_to_string(target.join("etc/base")).unwrap(),
        "of the base\n"
    );
    assert_eq!(
        fs::read_to_string(target.join("etc/app")).unwrap(),
        "of the app\n"
    );
    assert!(!target.join("etc/hostname").exists());
    let packages = fs::read_to_string(target.join("var/lib/packages")).unwrap();
    assert_eq!(packages, "base 1 7\nless 1.0 3\n");
}

#[test]
fn a_stream_by_pattern_is_built_on_demand_and_is_in_no_list() {
    if lacks_root("a_stream_by_pattern_is_built_on_demand_and_is_in_no_list") {
        return;
    }
    let mut place = Workplace::new().unwrap();
    let manifest = json!({ "SourceImage": BOOTSTRAP });
    place
        .write_manifest(
            "by-pattern",
            &manifest,
            &[("scripts/tell", "#! /bin/sh\necho I am $IMAGE_STREAM >/etc/name\n")],
        )
        .unwrap();
    let url = format!("dir://{}", place.manifest("by-pattern").display());
    place
        .set_pattern("users/[a-z]+/mine", json!({ "ManifestUrl": url }))
        .unwrap();
    let daemon = place.start(&[]).unwrap();
    let name = place.built(&daemon, "users/fred/mine").unwrap();
    let target = place.path().join("got");
    place.unpack(&name, &target).unwrap();
    assert_eq!(
        fs::read_to_string(target.join("etc/name")).unwrap(),
        "I am users/fred/mine\n"
    );
    let other = place.build(&daemon, "users/fred/other").unwrap();
    assert_eq!(other.code, 1);
    assert!(
        other.err.contains("unknown stream: users/fred/other"),
        "{}",
        other.err
    );
    let (_, listed) = daemon.page("/showImageStreams").unwrap();
    assert!(!listed.contains("users/fred"), "{listed}");
}

#[test]
fn what_fetching_manifests_said_is_shown_when_asked_for() {
    if lacks_root("what_fetching_manifests_said_is_shown_when_asked_for") {
        return;
    }
    let mut place = Workplace::new().unwrap();
    place.add_stream("users/app", BOOTSTRAP, &[]).unwrap();
    let daemon = place.start(&[]).unwrap();
    let started = std::time::Instant::now();
    loop {
        let shown = place
            .build_as(ADMINISTRATOR, &daemon, &["-showFetchLog", "get-digraph"])
            .unwrap();
        let quiet = place.build_as(ADMINISTRATOR, &daemon, &["get-digraph"]).unwrap();
        if quiet.out.contains("\"users/app\" -> ") {
            assert!(shown.err.contains("users/app"), "{}", shown.err);
            assert_eq!(quiet.err, "");
            return;
        }
        assert!(started.elapsed().as_secs() < 120, "{}", daemon.log_text());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
