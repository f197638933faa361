//! What is said when it does not work.

use crate::{OTHER, bytes, created, json_of, started};
use serde_json::json;
use std::fs;

#[test]
fn a_failure_says_who_was_asked_what_is_wrong_and_what_would_help() {
    let (_repository, daemon, tool) = started(json!({}));
    let said = |outcome: integration::tool::Outcome, code: i32, parts: &[&str]| {
        for part in parts {
            assert!(
                outcome.code == code && outcome.err.contains(part),
                "{part}: {outcome:?}"
            );
        }
    };
    let elsewhere = tool.run(&["--url", "http://127.0.0.1:9", "list"]).unwrap();
    said(
        elsewhere,
        1,
        &[
            "http://127.0.0.1:9",
            "cannot connect: Connection refused",
            "try: --url",
        ],
    );
    said(
        tool.run(&["wait", OTHER, "--state", "actve"]).unwrap(),
        2,
        &["active"],
    );
    said(tool.run(&["get", "base"]).unwrap(), 2, &["not a UUID"]);
    said(
        tool.run(&["create", "-m", "nosuch.json"]).unwrap(),
        3,
        &["cannot read nosuch.json"],
    );
    // A filter that does nothing would show every image as if it were one that was looked for.
    said(
        tool.run(&["list", "nmae=base"]).unwrap(),
        0,
        &["\"nmae\" is no filter"],
    );
    said(
        tool.run(&["list", "name=base", "tag.a=b", "state=all"]).unwrap(),
        0,
        &[""],
    );

    fs::write(tool.home().join("a.tar"), bytes(5_000)).unwrap();
    let bare = created(&tool, "bare", &[]);
    let planned = tool.must(&["delete", "--dry-run", &bare]).unwrap();
    assert!(!planned.contains("with its"), "{planned}");
    let base = created(&tool, "base", &["-f", "a.tar"]);
    let planned = tool.must(&["delete", "--dry-run", &base]).unwrap();
    assert!(planned.ends_with("with its file\n"), "{planned}");
    tool.must(&["export", &base, "--to", "exported"]).unwrap();
    assert!(tool.home().join("exported/base-1.0.imgmanifest").exists());

    // The short names of compressed archives say what they are, too.
    fs::write(tool.home().join("a.tgz"), bytes(100)).unwrap();
    let short = created(&tool, "short", &["-f", "a.tgz"]);
    assert_eq!(
        json_of(&tool.must(&["get", &short]).unwrap())["files"][0]["compression"],
        "gzip"
    );

    // A job tells which step failed, and which rule was broken.
    let (_private, private, there) = started(json!({"mode": "private"}));
    let refused = there.run(&["import", &base, "-S", &daemon.url()]).unwrap();
    said(
        refused,
        1,
        &[
            "import_image: failed",
            "public images are not allowed on a private Images API",
        ],
    );
    drop(private);

    // Whoever uses a profile may be in another directory than whoever made it.
    fs::write(tool.home().join("key"), "").unwrap();
    tool.must(&["-u", "me", "-i", "key", "profiles", "set", "lab"])
        .unwrap();
    let key = tool.home().join("key");
    assert!(tool.must(&["profiles"]).unwrap().contains(key.to_str().unwrap()));
}
