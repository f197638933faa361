//! What the program promises before it has talked to any server.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn imagetool(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_imagetool"))
        .args(arguments)
        .current_dir(directory)
        .env("HOME", directory)
        .env("TZ", "UTC")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn wrong_use_is_2_and_failure_is_1() {
    let here = tempfile::tempdir().unwrap();
    for (arguments, code, message) in [
        (&[][..], 2, ""),
        (&["frobnicate"], 2, "unknown command"),
        (&["show"], 2, "wrong number of arguments"),
        (&["get", "a", "b", "c"], 2, "wrong number of arguments"),
        (&["-nonsense", "list"], 2, "nonsense"),
        (&["-expiresIn=10m", "list"], 2, "Minimum expiration: 15m0s"),
        (
            &["-filterFile=/nonexistent", "list"],
            2,
            "open /nonexistent: no such file or directory",
        ),
        (&["-requiredPaths=/etc", "list"], 2, "-requiredPaths"),
        (
            &["-srpcProxy=srpc://x:1", "list"],
            2,
            "tunnels through an SRPC server are not built in",
        ),
        (
            &["-objectCacheDirectory=/x", "list"],
            2,
            "has no object cache yet",
        ),
        (&["-h"], 0, "imagetool"),
        (&["-version"], 0, "imagetool"),
        (
            &["-imageServerHostname=127.0.0.1", "-imageServerPortNum=1", "list"],
            1,
            "Error dialing: 127.0.0.1:1: connection refused\n",
        ),
        (
            &["show", "x:abc"],
            1,
            "error showing image: unknown image type: x\n",
        ),
        (
            &["show", "s:host"],
            1,
            "error showing image: image type s: is not in this build yet\n",
        ),
        (
            &["make-raw-image", "a", "b"],
            1,
            "error: this build does not have the command make-raw-image yet\n",
        ),
    ] {
        let output = imagetool(here.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        assert!(
            text(&output.stderr).contains(message),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn commands_that_are_missing_are_listed_as_such() {
    let here = tempfile::tempdir().unwrap();
    let help = text(&imagetool(here.path(), &["--help"]).stderr);
    let missing = help.split("not in this build yet:").nth(1).unwrap();
    assert!(missing.contains("make-raw-image"));
    assert!(!text(&imagetool(here.path(), &["-h"]).stderr).contains("make-raw-image"));
}

#[test]
fn a_directory_is_listed_as_an_image_is() {
    let here = tempfile::tempdir().unwrap();
    fs::create_dir_all(here.path().join("tree/etc")).unwrap();
    fs::write(here.path().join("tree/etc/passwd"), "root\n").unwrap();
    fs::write(here.path().join("filter"), "/etc/passwd$\n").unwrap();
    let output = imagetool(here.path(), &["-skipFields=mlugst", "show", "d:tree"]);
    let hash = hash::of(b"root\n");
    assert_eq!(text(&output.stdout), format!("/\n/etc\n/etc/passwd {hash}\n"));
    let output = imagetool(
        here.path(),
        &["-skipFields=mlugst", "-filterFile=filter", "show", "d:tree"],
    );
    assert_eq!(text(&output.stdout), "/\n/etc\n");
    let output = imagetool(here.path(), &["-json", "show", "d:tree"]);
    let lines: Vec<serde_json::Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["Hash"], hash.to_string());
}

#[test]
fn an_image_file_needs_no_server() {
    let here = tempfile::tempdir().unwrap();
    let image = image::Image {
        file_system: Some(image::FileSystem::default()),
        filter: Some(image::Filter {
            filter_lines: vec!["/tmp/.*".to_owned(), "/a.b".to_owned()],
        }),
        ..image::Image::default()
    };
    fs::write(here.path().join("file"), protocol::image_file::encode(&image)).unwrap();
    let output = imagetool(here.path(), &["show-filter", "l:file"]);
    assert_eq!(text(&output.stdout), "/tmp/.*\n/a.b\n");
    assert!(
        text(&output.stderr).contains("/a.b"),
        "unoptimised lines are told"
    );
    assert!(!text(&output.stderr).contains("/tmp"));
    let output = imagetool(here.path(), &["show-metadata", "l:file"]);
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(shown["FileSystem"].is_null());
    let output = imagetool(here.path(), &["show-triggers", "l:file"]);
    assert_eq!(
        text(&output.stderr),
        "error showing image triggers: Triggers not available\n"
    );
}

#[test]
fn filters_and_triggers_are_merged() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("one"), "/b\n# comment\n/a\n").unwrap();
    fs::write(here.path().join("two"), "/c\n/a\n").unwrap();
    let output = imagetool(here.path(), &["merge-filters", "one", "two"]);
    assert_eq!(text(&output.stdout), "/a\n/b\n/c\n");
    fs::write(
        here.path().join("triggers"),
        "# comment\n[{\"MatchLines\": [\"/x\"], \"Service\": \"s\"}]",
    )
    .unwrap();
    let output = imagetool(here.path(), &["merge-triggers", "triggers", "triggers"]);
    assert_eq!(
        text(&output.stdout),
        "[\n    {\n        \"MatchLines\": [\n            \"/x\"\n        ],\n        \"Service\": \"s\"\n    }\n]\n"
    );
}

#[test]
fn a_failing_verb_removes_only_what_it_made() {
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("tree")).unwrap();
    fs::write(here.path().join("tree/file"), "content").unwrap();
    fs::write(here.path().join("old.tar"), "precious").unwrap();
    // Nothing listens there: the tree is found, its objects are not to be had.
    let flags = ["-imageServerHostname=127.0.0.1", "-imageServerPortNum=1"];
    for target in ["old.tar", "new.tar", "/dev/null"] {
        let arguments = [flags[0], flags[1], "tar", "d:tree", target];
        assert_eq!(imagetool(here.path(), &arguments).status.code(), Some(1));
    }
    assert_eq!(
        imagetool(here.path(), &[flags[0], flags[1], "get", "d:tree", "new"])
            .status
            .code(),
        Some(1)
    );
    assert_eq!(
        fs::read_to_string(here.path().join("old.tar")).unwrap(),
        "precious"
    );
    assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    let mut names: Vec<_> = fs::read_dir(here.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["old.tar", "tree"]);
}

#[test]
fn flag_files_are_read_and_the_command_line_overrides_them() {
    let here = tempfile::tempdir().unwrap();
    let config = here.path().join(".config/imagetool");
    fs::create_dir_all(&config).unwrap();
    fs::create_dir(here.path().join("tree")).unwrap();
    fs::write(config.join("flags.default"), "skipFields=mlugstd\n").unwrap();
    assert_eq!(text(&imagetool(here.path(), &["show", "d:tree"]).stdout), "/\n");
    let output = imagetool(here.path(), &["-skipFields=mlugstnd", "show", "d:tree"]);
    assert_eq!(text(&output.stdout), "\n");
    fs::write(config.join("flags.extra"), "nonsense=1\n").unwrap();
    assert_eq!(imagetool(here.path(), &["show", "d:tree"]).status.code(), Some(1));
}
