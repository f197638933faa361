//! Settings of the image repository: what changes while it runs, what needs a restart, what changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use actors::repository_settings::start;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

/// How long something may take that takes milliseconds.
const LIMIT: Duration = Duration::from_secs(60);

struct File {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

fn file(text: &str) -> File {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("imgapi.config.json");
    fs::write(&path, text).unwrap();
    File {
        path,
        _directory: directory,
    }
}

async fn until(is_so: impl FnMut() -> bool) {
    until_within(LIMIT, is_so).await;
}

async fn until_within(limit: Duration, mut is_so: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(limit, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("it does not come to be so");
}

#[tokio::test]
async fn keys_that_can_change_live_do_and_the_others_ask_for_a_restart() {
    let file = file(r#"{"serverName": "a", "port": 1000}"#);
    let system = start(&file.path, true).unwrap();
    let (watcher, settings) = (system.watcher(), system.watcher().settings());
    fs::write(&file.path, r#"{"serverName": "b", "port": 1000}"#).unwrap();
    until(|| settings.load().server_name.as_deref() == Some("b")).await;
    assert!(watcher.restart().borrow().is_none());
    fs::write(&file.path, "serverName: c\nport: 2000\n").unwrap();
    until(|| settings.load().server_name.as_deref() == Some("c")).await;
    assert_eq!(settings.load().port, 1000);
    until(|| watcher.restart().borrow().is_some()).await;
    let restart = watcher.restart().borrow().clone().unwrap();
    assert_eq!(
        (restart.keys.as_slice(), restart.settings.port),
        (["port"].as_slice(), 2000)
    );
    // Back again: nothing is to be done any more.
    fs::write(&file.path, r#"{"serverName": "c", "port": 1000}"#).unwrap();
    until(|| watcher.restart().borrow().is_none()).await;
}

#[tokio::test]
async fn a_bad_file_keeps_the_last_good_one_and_says_why() {
    let file = file(r#"{"serverName": "a"}"#);
    let system = start(&file.path, true).unwrap();
    let (watcher, settings) = (system.watcher(), system.watcher().settings());
    for (bad, cause) in [
        ("{bad", "neither JSON nor YAML"),
        ("[]", "must be an object"),
        (r#"{"serverName": "b", "port": "x"}"#, "port must be"),
    ] {
        fs::write(&file.path, bad).unwrap();
        watcher.reload().await.unwrap();
        let problems = watcher.problems().join("\n");
        assert!(problems.contains(cause), "{bad}: {problems}");
        assert_eq!(settings.load().server_name.as_deref(), Some("a"), "{bad}");
    }
    fs::remove_file(&file.path).unwrap();
    watcher.reload().await.unwrap();
    assert!(watcher.problems()[0].contains("cannot read"));
    fs::write(&file.path, r#"{"serverName": "b"}"#).unwrap();
    until(|| settings.load().server_name.as_deref() == Some("b")).await;
    until(|| watcher.problems().is_empty()).await;
}

#[tokio::test]
async fn a_refused_restart_is_told_until_the_file_is_another() {
    let file = file(r#"{"port": 1000}"#);
    let system = start(&file.path, true).unwrap();
    let watcher = system.watcher();
    fs::write(&file.path, r#"{"port": 2000}"#).unwrap();
    until(|| watcher.restart().borrow().is_some()).await;
    watcher.refuse_restart("port 2000 is taken".to_owned());
    assert!(watcher.restart().borrow().is_none());
    watcher.reload().await.unwrap();
    assert_eq!(watcher.problems(), ["port 2000 is taken"]);
    fs::write(&file.path, r#"{"port": 1000, "serverName": "x"}"#).unwrap();
    until(|| watcher.problems().is_empty()).await;
}

#[tokio::test]
async fn the_table_of_users_is_watched_too() {
    let users = file("luke: 11111111-1111-4111-8111-111111111111\n");
    let file = file(&format!("usersFile: {}\n", users.path.display()));
    let system = start(&file.path, true).unwrap();
    let watcher = system.watcher();
    let logins = || watcher.users().map(|users| users.to_value().to_string()).unwrap();
    assert!(logins().contains("luke"));
    fs::write(&users.path, "leia: 22222222-2222-4222-8222-222222222222\n").unwrap();
    until(|| logins().contains("leia")).await;
    fs::write(&users.path, "leia: nobody\n").unwrap();
    until(|| !watcher.problems().is_empty()).await;
    assert!(logins().contains("leia"));
}

#[tokio::test]
async fn after_a_panic_the_file_is_looked_at_anew() {
    let file = file(r#"{"serverName": "a"}"#);
    let system = start(&file.path, true).unwrap();
    let (watcher, settings) = (system.watcher(), system.watcher().settings());
    watcher.debug_panic().await.unwrap_err();
    fs::write(&file.path, r#"{"serverName": "b"}"#).unwrap();
    until(|| settings.load().server_name.as_deref() == Some("b")).await;
    assert_eq!(watcher.health().restarts, 1);
}

#[tokio::test]
async fn after_a_panic_a_change_that_nobody_was_told_of_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    for (version, text) in [("v1", r#"{"serverName": "a"}"#), ("v2", r#"{"serverName": "b"}"#)] {
        fs::create_dir(place(version)).unwrap();
        fs::write(place(version).join("imgapi.config.json"), text).unwrap();
    }
    // The file is reached by a link in the middle of its way, in a directory that is neither the name's nor the file's.
    for name in ["names", "links"] {
        fs::create_dir(place(name)).unwrap();
    }
    symlink("../v1", place("links/current")).unwrap();
    let path = place("names/imgapi.config.json");
    symlink("../links/current/imgapi.config.json", &path).unwrap();
    let system = start(&path, true).unwrap();
    let (watcher, settings) = (system.watcher(), system.watcher().settings());
    // With the second of these the first look is over, and nothing is on its way that would bring another.
    for name in ["first", "second"] {
        fs::write(place(name), format!(r#"{{"serverName": "{name}"}}"#)).unwrap();
        fs::rename(place(name), place("v1/imgapi.config.json")).unwrap();
        until(|| settings.load().server_name.as_deref() == Some(name)).await;
    }
    symlink("../v2", place("links/next")).unwrap();
    fs::rename(place("links/next"), place("links/current")).unwrap();
    watcher.debug_panic().await.unwrap_err();
    // Well before it is looked at in any case, each minute.
    until_within(LIMIT / 3, || settings.load().server_name.as_deref() == Some("b")).await;
    assert_eq!(watcher.health().restarts, 1);
}

#[test]
fn a_start_without_a_good_file_is_refused_with_what_to_do() {
    let missing = start("/nonexistent/imgapi.config.json".as_ref(), false);
    let error = missing.err().unwrap().to_string();
    assert!(error.contains("{} is enough"), "{error}");
    let file = file(r#"{"authType": "basic"}"#);
    let error = start(&file.path, false).err().unwrap().to_string();
    assert!(
        error.contains("authType must be one of none, signature"),
        "{error}"
    );
}
