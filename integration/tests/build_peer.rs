//! Builds with programs of the original among ours: its tool asks our image builder, ours asks its, and its image server takes what ours
//! builds.
//!
//! Run by `scripts/test-peer.sh DIR`, where DIR has the original's programs.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP, Imaginator, Workplace};
use integration::secured::Secured;
use integration::server::Home;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// Environment variable with the directory of the original's programs.
const PEER_VARIABLE: &str = "IMAGEWRIGHT_PEER";

fn original(name: &str) -> PathBuf {
    let directory = std::env::var(PEER_VARIABLE).expect("IMAGEWRIGHT_PEER=DIR of the original's programs");
    PathBuf::from(directory).join(name)
}

/// Two streams, one built on the other, with something of every kind.
fn with_streams(mut place: Workplace) -> Workplace {
    place
        .add_stream(
            "users/base",
            BOOTSTRAP,
            &[
                ("files/etc/base", "of the base\n"),
                ("package-list", "less\n"),
                (
                    "scripts/one",
                    "#! /bin/sh\necho said by a script; chown 33:33 /etc/base\n",
                ),
                ("tests/one", "#! /bin/sh\ntest -f /etc/base\n"),
                ("filter", "/var/log/.*\n"),
                (
                    "triggers",
                    "[{\"MatchLines\": [\"/etc/base\"], \"Service\": \"base\"}]\n",
                ),
                ("tags.json", "{\"kind\": \"base\"}\n"),
                ("owners.json", "{\"Users\": [\"somebody\"]}\n"),
            ],
        )
        .unwrap();
    let files = [
        ("files/etc/app", "of the app\n"),
        ("filter.add", "/srv/.*\n"),
        ("triggers.add", "[]\n"),
    ];
    place.add_stream("users/app", "users/base", &files).unwrap();
    let files = [("scripts/fails", "#! /bin/sh\necho what was wrong; exit 7\n")];
    place.add_stream("users/fails", BOOTSTRAP, &files).unwrap();
    place
}

/// Asks for everything the tool can ask for, and looks at what comes of it.
fn works(place: &Workplace, daemon: &Imaginator) {
    let name = place.built(daemon, "users/app").unwrap();
    let log = place.build(daemon, "users/base").unwrap();
    for text in [
        "Building: users/base for: ",
        "Source image: bootstrap/small/",
        "said by a script\n",
        "passed in",
    ] {
        assert!(log.err.contains(text), "{text:?} is not in\n{}", log.err);
    }
    let failed = place.build(daemon, "users/fails").unwrap();
    assert_eq!((failed.code, failed.out.as_str()), (1, ""));
    assert!(failed.err.contains("what was wrong\n"), "{}", failed.err);
    assert!(
        failed.err.contains("error running script: fails: exit status 7"),
        "{}",
        failed.err
    );
    let unknown = place.build(daemon, "users/unknown").unwrap();
    assert!(
        unknown.err.contains("unknown stream: users/unknown"),
        "{}",
        unknown.err
    );

    let tool = place.images.tool(ADMINISTRATOR);
    let shown = tool.run(&["show-metadata", &name]).unwrap().out;
    for text in ["users/base/", "/srv/.*", "/var/log/.*"] {
        assert!(shown.contains(text), "{text:?} is not in\n{shown}");
    }
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
    fs::remove_dir_all(target).unwrap();

    let ask = |arguments: &[&str]| {
        let output = place
            .tool(ADMINISTRATOR, daemon.port, arguments)
            .unwrap()
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let dependencies: Value = serde_json::from_str(&ask(&["get-dependencies"])).unwrap();
    assert_eq!(dependencies["StreamToSource"]["users/app"], "users/base");
    assert!(ask(&["get-digraph"]).contains("  \"users/app\" -> \"users/base\"\n"));
    ask(&["disable-build-requests"]);
    let refused = place.build(daemon, "users/app").unwrap();
    assert!(refused.err.contains("builds disabled until "), "{}", refused.err);
    ask(&["enable-build-requests"]);
    ask(&["disable-auto-builds"]);
    let image = place.path().join("image.gob").display().to_string();
    ask(&[&format!("-imageFilename={image}"), "build-image", "users/base"]);
    assert!(fs::metadata(image).unwrap().len() > 1000);
}

#[test]
#[ignore = "takes the programs of the original: scripts/test-peer.sh"]
fn the_original_s_tool_asks_our_image_builder() {
    let place = with_streams(Workplace::new().unwrap()).with_tool(&original("builder-tool"));
    works(&place, &place.start(&[]).unwrap());
}

#[test]
#[ignore = "takes the programs of the original: scripts/test-peer.sh"]
fn our_tool_asks_the_original_s_image_builder() {
    let place = with_streams(Workplace::new().unwrap()).with_program(&original("imaginator"));
    works(&place, &place.start(&[]).unwrap());
}

#[test]
#[ignore = "takes the programs of the original: scripts/test-peer.sh"]
fn the_original_s_image_server_takes_what_our_image_builder_makes() {
    let images = Secured::at_home(Home::of_program(&original("imageserver")).unwrap(), &[]).unwrap();
    let place = with_streams(Workplace::publishing_to(images).unwrap());
    works(&place, &place.start(&[]).unwrap());
}
