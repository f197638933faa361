//! Repositories of git.

use crate::place::{Place, has, streams, until};
use std::path::Path;
use std::process::Command;

fn git(directory: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example",
            "-c",
            "init.defaultBranch=trunk",
        ])
        .args(arguments)
        .current_dir(directory)
        .status()
        .unwrap();
    assert!(status.success(), "{arguments:?}");
}

fn commit(repository: &Path, text: &str) {
    std::fs::write(repository.join("deep/streams.json"), text).unwrap();
    git(repository, &["add", "."]);
    git(repository, &["commit", "--quiet", "--message", "change"]);
}

#[test]
fn streams_follow_the_default_branch_of_a_repository() {
    let place = Place::new();
    let repository = place.path("streams.git");
    std::fs::create_dir_all(repository.join("deep")).unwrap();
    git(&repository, &["init", "--quiet"]);
    std::fs::write(repository.join("large"), "not needed").unwrap();
    commit(&repository, &streams(&["a"]));
    let url = format!("file://{}?deep/streams.json", repository.display());
    place.configure(&url, ", \"ImageStreamsCheckInterval\": \"20ms\"");
    let system = place.start();
    until(system.watcher(), "loaded", has(&["a"]));
    commit(&repository, &streams(&["b"]));
    until(system.watcher(), "changed", has(&["b"]));
    git(&repository, &["rm", "--quiet", "deep/streams.json"]);
    git(&repository, &["commit", "--quiet", "--message", "gone"]);
    let bad = until(system.watcher(), "missed", |current| {
        current.streams_status.problem.is_some()
    });
    assert!(
        bad.problems().concat().contains("deep/streams.json"),
        "{:?}",
        bad.problems()
    );
    assert!(has(&["b"])(&bad));
}
