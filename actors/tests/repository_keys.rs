//! Keys of users: from where they come, and what a bad one does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use actors::{RepositoryConfig, RepositorySystem, start_repository};
use repository::configuration::{Configuration, Settings};
use std::fs;
use std::path::Path;
use std::time::Duration;

const FIRST: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f one@example.com";
const SECOND: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/ two@example.com";

/// How long something may take that takes milliseconds.
const LIMIT: Duration = Duration::from_secs(60);

fn settings(keys: &str) -> Settings {
    let text = format!("{{\"authKeys\": {keys}}}");
    Configuration::read(&text).unwrap().settings().clone()
}

fn start(base: &Path, settings: Settings) -> RepositorySystem {
    let mut config = RepositoryConfig::new(base.to_owned(), settings);
    config.allow_debug_panic = true;
    start_repository(config).unwrap()
}

fn count(system: &RepositorySystem, user: &str) -> usize {
    system.keys.table().keys(user).len()
}

async fn until(mut is_so: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(LIMIT, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("it does not come to be so");
}

#[tokio::test]
async fn keys_of_the_configuration_and_of_both_directories_are_joined() {
    let base = tempfile::tempdir().unwrap();
    for directory in ["local", "manta"] {
        let directory = base.path().join("etc/authkeys").join(directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(
            directory.join("luke.keys"),
            format!("# a comment\r\n\r\n{SECOND}\r\n"),
        )
        .unwrap();
        fs::write(directory.join("notes.txt"), FIRST).unwrap();
    }
    let system = start(
        base.path(),
        settings(&format!("{{\"luke\": [\"{FIRST}\"], \"leia\": \"{FIRST}\"}}")),
    );
    assert_eq!((count(&system, "luke"), count(&system, "leia")), (3, 1));
    assert_eq!(count(&system, "notes"), 0);
}

#[tokio::test]
async fn a_new_file_counts_at_once_and_a_removed_one_no_more() {
    let base = tempfile::tempdir().unwrap();
    // None of the directories is there when it starts.
    let system = start(base.path(), settings("{}"));
    let directory = base.path().join("etc/authkeys/local");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("luke.keys"), FIRST).unwrap();
    until(|| count(&system, "luke") == 1).await;
    fs::write(directory.join(".new"), format!("{FIRST}\n{SECOND}\n")).unwrap();
    fs::rename(directory.join(".new"), directory.join("luke.keys")).unwrap();
    until(|| count(&system, "luke") == 2).await;
    fs::remove_file(directory.join("luke.keys")).unwrap();
    until(|| count(&system, "luke") == 0).await;
}

#[tokio::test]
async fn a_bad_line_is_told_by_file_and_line_and_the_others_count() {
    let base = tempfile::tempdir().unwrap();
    let directory = base.path().join("etc/authkeys/local");
    fs::create_dir_all(&directory).unwrap();
    fs::write(
        directory.join("luke.keys"),
        format!("{FIRST}\nssh-rsa nonsense\n{SECOND}\n"),
    )
    .unwrap();
    let system = start(base.path(), settings("{\"leia\": [\"also nonsense\"]}"));
    assert_eq!(count(&system, "luke"), 2);
    let problems: Vec<String> = system.keys.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].starts_with("authKeys:1: key of leia: "),
        "{problems:?}"
    );
    let place = format!("{}:2: key of luke: ", directory.join("luke.keys").display());
    assert!(problems[1].starts_with(&place), "{problems:?}");
    assert!(system.keys.health().trouble.is_some());
    fs::write(directory.join("luke.keys"), FIRST).unwrap();
    system.keys.reload().await.unwrap();
    assert_eq!((count(&system, "luke"), system.keys.problems().len()), (1, 1));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_keeps_its_last_keys_and_holds_up_no_others() {
    let base = tempfile::tempdir().unwrap();
    let directory = base.path().join("etc/authkeys/local");
    fs::create_dir_all(&directory).unwrap();
    for user in ["luke", "leia"] {
        fs::write(directory.join(format!("{user}.keys")), FIRST).unwrap();
    }
    let system = start(base.path(), settings("{}"));
    let counts = || ["luke", "leia", "han"].map(|user| count(&system, user));
    // One that leads nowhere: permissions would not keep root from reading.
    for user in ["leia", "lando"] {
        let file = directory.join(format!("{user}.keys"));
        let _ = fs::remove_file(&file);
        std::os::unix::fs::symlink("/nonexistent", &file).unwrap();
    }
    fs::write(directory.join("luke.keys"), format!("{FIRST}\n{SECOND}\n")).unwrap();
    fs::write(directory.join("han.keys"), SECOND).unwrap();
    system.keys.reload().await.unwrap();
    assert_eq!(counts(), [2, 1, 1]);
    let problems: Vec<String> = system.keys.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].ends_with("none of its keys counts"), "{problems:?}");
    assert!(
        problems[1].contains("leia.keys: ") && problems[1].ends_with("stay in force"),
        "{problems:?}"
    );
    // One that is removed counts no more meanwhile, also if it is the one that could not be read.
    fs::remove_file(directory.join("luke.keys")).unwrap();
    system.keys.reload().await.unwrap();
    assert_eq!(counts(), [0, 1, 1]);
    for user in ["leia", "lando"] {
        fs::remove_file(directory.join(format!("{user}.keys"))).unwrap();
    }
    system.keys.reload().await.unwrap();
    assert_eq!((counts(), system.keys.problems().len()), ([0, 0, 1], 0));
}

#[tokio::test]
async fn a_pipe_where_keys_should_be_is_told_and_not_waited_for() {
    let base = tempfile::tempdir().unwrap();
    let directory = base.path().join("etc/authkeys/local");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("luke.keys"), FIRST).unwrap();
    let kind = rustix::fs::FileType::Fifo;
    let (pipe, mode) = (directory.join("leia.keys"), rustix::fs::Mode::RUSR);
    rustix::fs::mknodat(rustix::fs::CWD, pipe, kind, mode, 0).unwrap();
    let system = start(base.path(), settings("{}"));
    assert_eq!((count(&system, "luke"), count(&system, "leia")), (1, 0));
    let problems: Vec<String> = system.keys.problems().iter().map(ToString::to_string).collect();
    assert!(
        problems.len() == 1 && problems[0].contains("leia.keys: is no file"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_directory_that_cannot_be_listed_keeps_its_last_keys() {
    let base = tempfile::tempdir().unwrap();
    let directory = base.path().join("etc/authkeys/local");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("luke.keys"), FIRST).unwrap();
    let system = start(base.path(), settings("{}"));
    fs::rename(&directory, base.path().join("elsewhere")).unwrap();
    fs::write(&directory, "no directory").unwrap();
    system.keys.reload().await.unwrap();
    assert_eq!((count(&system, "luke"), system.keys.problems().len()), (1, 1));
    fs::remove_file(&directory).unwrap();
    system.keys.reload().await.unwrap();
    assert_eq!((count(&system, "luke"), system.keys.problems().len()), (0, 0));
}

#[tokio::test]
async fn after_a_panic_the_keys_are_there_and_files_are_watched_again() {
    let base = tempfile::tempdir().unwrap();
    let directory = base.path().join("etc/authkeys/local");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("luke.keys"), FIRST).unwrap();
    let system = start(base.path(), settings("{}"));
    system.keys.debug_panic().await.unwrap_err();
    assert_eq!(count(&system, "luke"), 1);
    fs::write(directory.join("leia.keys"), SECOND).unwrap();
    until(|| count(&system, "leia") == 1).await;
    assert_eq!(system.keys.health().restarts, 1);
}

#[tokio::test]
async fn where_nobody_signs_no_keys_are_read() {
    let base = tempfile::tempdir().unwrap();
    let directory = base.path().join("etc/authkeys/local");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("luke.keys"), FIRST).unwrap();
    let none = Configuration::read("{\"authType\": \"none\"}").unwrap();
    let system = start(base.path(), none.settings().clone());
    system.keys.reload().await.unwrap();
    assert_eq!(count(&system, "luke"), 0);
}
