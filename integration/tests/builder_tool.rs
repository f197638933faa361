//! `builder-tool` by itself: exit codes, usage, flag files (`builder-tool.md §1`).

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use integration::programs::program;
use integration::server::free_port;
use std::path::Path;
use std::process::Command;

/// Exit code, standard output and standard error.
fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(program("builder-tool").unwrap())
        .args(arguments)
        .env("HOME", home)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn the_exit_code_tells_wrong_use_from_failure() {
    let home = tempfile::tempdir().unwrap();
    let port = format!("-imaginatorPortNum={}", free_port().unwrap());
    let dead = format!("Error dialing: localhost:{}: ", port.rsplit_once('=').unwrap().1);
    for (arguments, code, words) in [
        (&[][..], 3, "usage: builder-tool [flags...] command [args...]"),
        (&["-h"], 0, "build-image"),
        (&["--help"], 0, "stream-name [git-branch]"),
        (&["-version"], 0, "builder-tool"),
        (&["-nonsense"], 2, "flag provided but not defined: -nonsense"),
        (&["nonsense"], 2, "unknown command"),
        (&["build-image"], 2, "wrong number of arguments"),
        (&["build-image", "a", "b", "c"], 2, "wrong number of arguments"),
        (
            &["-expiresIn=4m59s", "get-digraph"],
            2,
            "Minimum expiration: 5m0s\n",
        ),
        (&[&port, "get-digraph"], 1, &dead),
        (&[&port, "build-image", "a"], 1, &dead),
        (&[&port, "-variablesFilename=/x", "build-image", "a"], 1, &dead),
    ] {
        let (ended, out, said) = run(home.path(), arguments);
        assert_eq!(ended, code, "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert_eq!(out, "", "{arguments:?}");
    }
}

#[test]
fn flags_in_the_home_are_read_before_the_command_line_and_a_bad_one_ends_it() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join(".config/builder-tool");
    std::fs::create_dir_all(&directory).unwrap();
    let port = free_port().unwrap();
    let line = format!("# where it is\nimaginatorPortNum = {port}\n");
    std::fs::write(directory.join("flags.default"), line).unwrap();
    let (code, _, said) = run(home.path(), &["get-digraph"]);
    assert!(
        code == 1 && said.starts_with(&format!("Error dialing: localhost:{port}: ")),
        "{said}"
    );
    std::fs::write(directory.join("flags.extra"), "imaginatorHostname = 127.0.0.1\n").unwrap();
    let (_, _, said) = run(home.path(), &["get-digraph"]);
    assert!(
        said.starts_with(&format!("Error dialing: 127.0.0.1:{port}: ")),
        "{said}"
    );
    let (_, _, said) = run(home.path(), &["-imaginatorHostname=127.0.0.2", "get-digraph"]);
    assert!(said.starts_with("Error dialing: 127.0.0.2:"), "{said}");
    std::fs::write(directory.join("flags.extra"), "noSuchFlag = 1\n").unwrap();
    let (code, _, said) = run(home.path(), &["get-digraph"]);
    assert!(code == 1 && said.contains("no such flag -noSuchFlag"), "{said}");
}

#[test]
fn certificates_that_cannot_be_read_are_told_before_anything_is_done() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join(".ssl");
    std::fs::create_dir_all(&directory).unwrap();
    // None is allowed.
    let (_, _, said) = run(home.path(), &["-imaginatorPortNum=1", "get-digraph"]);
    assert!(said.starts_with("Error dialing: "), "{said}");
    std::fs::write(directory.join("me.cert"), "nonsense").unwrap();
    std::fs::write(directory.join("me.key"), "nonsense").unwrap();
    let (code, _, said) = run(home.path(), &["-imaginatorPortNum=1", "get-digraph"]);
    assert!(code == 1 && !said.contains("Error dialing"), "{said}");
}
