//! `imagewright bench` does its whole work on a small tree, with our programs.

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// What measures a program as its users run it needs an unprivileged user for the servers.
fn lacks_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        integration::skip(test, "only root can start servers as another user");
    }
    !root
}

fn bench(directory: &Path, arguments: &[&str]) -> Output {
    // It finds the others beside it.
    let imagewright = integration::programs::all_programs().unwrap().join("imagewright");
    Command::new(imagewright)
        .args(["bench", "--dir"])
        .arg(directory)
        .args(arguments)
        .output()
        .unwrap()
}

fn tiny_tree(root: &Path) {
    for directory in ["etc", "usr/bin"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    for number in 0..20 {
        fs::write(root.join(format!("usr/bin/program{number}")), vec![number; 3000]).unwrap();
    }
}

/// A directory that the servers' user can enter.
fn scratch() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

#[test]
fn a_repository_is_measured_without_the_image_servers_programs_and_without_a_tree() {
    if lacks_root("a_repository_is_measured_without_the_image_servers_programs_and_without_a_tree") {
        return;
    }
    let directory = scratch();
    let (programs, data) = (directory.path().join("programs"), directory.path().join("data"));
    for made in [&programs, &data] {
        fs::create_dir(made).unwrap();
    }
    fs::copy(
        integration::programs::program("imgapi").unwrap(),
        programs.join("imgapi"),
    )
    .unwrap();
    let json = directory.path().join("run.json");
    let path = |path: &Path| path.display().to_string();
    let output = bench(
        &data,
        &[
            "--only=repository",
            "--programs",
            &path(&programs),
            "--rounds=1",
            "--repository-images=3",
            "--repository-file=1",
            "--json",
            &path(&json),
        ],
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(!errors.contains("tree"), "{errors}");
    let run: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    assert!(run["tree"].is_null());
    assert!(!run["figures"].as_array().unwrap().is_empty());
}

#[test]
fn every_kind_of_work_yields_figures_and_leaves_nothing_behind() {
    if lacks_root("every_kind_of_work_yields_figures_and_leaves_nothing_behind") {
        return;
    }
    let directory = scratch();
    let (tree, data) = (directory.path().join("tree"), directory.path().join("data"));
    integration::system_tree::make(&tree).unwrap();
    fs::create_dir(&data).unwrap();
    let (json, markdown) = (directory.path().join("run.json"), directory.path().join("run.md"));
    let path = |path: &Path| path.display().to_string();
    let output = bench(
        &data,
        &[
            "--tree",
            &path(&tree),
            "--rounds=1",
            "--images=1,3",
            "--fleet=3",
            "--many=300",
            "--repository-images=20",
            "--repository-file=2",
            "--json",
            &path(&json),
            "--markdown",
            &path(&markdown),
        ],
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let run: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let figures = run["figures"].as_array().unwrap();
    let list = bench(&data, &["--list"]);
    let works = String::from_utf8(list.stdout).unwrap();
    assert!(works.lines().count() >= 10, "{works}");
    let table = String::from_utf8(output.stdout).unwrap();
    let report = fs::read_to_string(&markdown).unwrap();
    for work in works.lines().filter_map(|line| line.split_whitespace().next()) {
        let of_work = figures.iter().filter(|figure| figure["work"] == work);
        let values: Vec<f64> = of_work
            .flat_map(|figure| figure["samples"]["ours"].as_array().unwrap())
            .map(|value| value.as_f64().unwrap())
            .collect();
        assert!(values.iter().any(|value| *value > 0.0), "{work}: {values:?}");
        assert!(
            table.lines().any(|line| line.starts_with(work)),
            "{work}: {table}"
        );
        assert!(report.contains(&format!("| {work} | ")), "{work}: {report}");
    }
    for images in ["1 image, first", "3 images, again"] {
        assert!(
            figures.iter().any(|figure| figure["figure"] == images),
            "{images}"
        );
    }
    assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "scratch data are left");
}

#[test]
fn a_server_that_does_not_come_up_is_an_error_with_its_log() {
    if lacks_root("a_server_that_does_not_come_up_is_an_error_with_its_log") {
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    let directory = scratch();
    let tree = directory.path().join("tree");
    tiny_tree(&tree);
    let programs = directory.path().join("programs");
    fs::create_dir(&programs).unwrap();
    for name in ["imageserver", "imagetool"] {
        let script = "#!/bin/sh\necho will not >&2\nexit 7\n";
        fs::write(programs.join(name), script).unwrap();
        fs::set_permissions(programs.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let output = bench(
        directory.path(),
        &[
            "--tree",
            &tree.display().to_string(),
            "--programs",
            &programs.display().to_string(),
        ],
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("the server ended (exit status: 7)"), "{errors}");
    assert!(errors.contains("will not"), "{errors}");
}

#[test]
fn what_cannot_be_measured_is_refused_at_once() {
    let directory = scratch();
    let nothing = directory.path().join("nothing").display().to_string();
    for (arguments, code, told) in [
        (vec!["--cross"], 2, "--peer"),
        (vec!["--rounds=0"], 2, "0 is not in 1..="),
        (vec!["--only=washing-up"], 2, "washing-up"),
        (
            vec!["--peer", &nothing],
            1,
            "is not there: --peer names a directory",
        ),
        (vec!["--tree", &nothing], 1, "no etc/passwd below it"),
        (vec!["--user=no-such-user"], 1, "no such user"),
    ] {
        if arguments[0].starts_with("--user") && lacks_root("what_cannot_be_measured_is_refused_at_once") {
            continue;
        }
        let output = bench(directory.path(), &arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(told), "{arguments:?}: {errors}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
