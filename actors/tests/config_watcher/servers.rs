//! Servers: asked again, whatever they answered before.

use crate::place::{Place, Server, block_on, has, streams, until};
use actors::config_watcher::{ConfigWatching, start};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[test]
fn streams_follow_a_server() {
    let place = Place::new();
    let server = Server::of(&["a"]);
    place.configure(&server.url(), ", \"ImageStreamsCheckInterval\": \"20ms\"");
    let system = place.start();
    let watcher = system.watcher();
    until(watcher, "loaded", has(&["a"]));
    server.answer(Some(streams(&["b"])));
    until(watcher, "changed", has(&["b"]));
    server.answer(None);
    let bad = until(watcher, "refused", |current| {
        current.streams_status.problem.is_some()
    });
    assert!(has(&["b"])(&bad));
    assert!(bad.problems().concat().contains("503"), "{:?}", bad.problems());
    server.answer(Some(streams(&["c"])));
    let well = until(watcher, "well", has(&["c"]));
    for current in [&bad, &well] {
        let shown = format!("{:?} {:?}", current.streams_status, current.problems());
        assert!(!shown.contains("hunter22"), "{shown}");
        assert!(shown.contains("user:***@"), "{shown}");
    }
}

#[test]
fn a_server_that_is_asked_once_is_asked_again_until_it_answers() {
    let place = Place::new();
    let server = Server::start();
    place.configure(&server.url(), "");
    let system = place.start();
    until(system.watcher(), "refused", |current| {
        current.streams_status.problem.is_some()
    });
    server.answer(Some(streams(&["a"])));
    until(system.watcher(), "loaded", has(&["a"]));
}

#[test]
fn an_unknown_stream_is_looked_for_in_what_is_there_now() {
    let place = Place::new();
    let server = Server::of(&["a"]);
    place.configure(&server.url(), "");
    let system = place.start();
    let watcher = system.watcher();
    until(watcher, "loaded", has(&["a"]));
    server.answer(Some(streams(&["a", "b"])));
    assert!(watcher.current().find("b").is_err());
    assert!(block_on(watcher.find("b")).is_ok());
    assert!(watcher.current().find("b").is_ok());
    let error = block_on(watcher.find("c")).unwrap_err();
    assert_eq!(error.to_string(), "unknown stream: c");
}

#[test]
fn without_an_answer_the_copy_of_an_earlier_run_is_used_until_there_is_one() {
    let place = Place::new();
    let server = Server::of(&["a"]);
    place.configure(&server.url(), ", \"ImageStreamsCheckInterval\": \"20ms\"");
    let system = place.start();
    until(system.watcher(), "loaded", has(&["a"]));
    let copy = place.path("state/image-streams.json");
    until(system.watcher(), "copied", |_| copy.exists());
    drop(system);
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), streams(&["a"]));
    assert_eq!(
        std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(!place.path("state/image-streams.json~").exists());
    server.answer(None);
    let system = start(ConfigWatching {
        first_wait: Duration::from_millis(50),
        ..place.watching()
    })
    .unwrap();
    let copied = until(system.watcher(), "taken from the copy", has(&["a"]));
    assert!(copied.streams_status.is_copy && copied.streams_status.problem.is_some());
    server.answer(Some(streams(&["a"])));
    let same = until(system.watcher(), "confirmed", |current| {
        !current.streams_status.is_copy
    });
    assert_eq!(same.streams_status.problem, None);
    assert_eq!(same.generation, copied.generation, "it is what was in force");
    server.answer(Some(streams(&["b"])));
    until(system.watcher(), "replaced", has(&["b"]));
}

#[test]
fn everything_is_read_again_when_asked_for_and_what_is_the_same_is_no_change() {
    let place = Place::new();
    let server = Server::of(&["a"]);
    place.configure(&server.url(), "");
    let system = place.start();
    let watcher = system.watcher();
    let first = until(watcher, "loaded", has(&["a"]));
    let same = block_on(watcher.reload()).unwrap();
    assert_eq!(same.generation, first.generation);
    assert!(same.streams_status.looked_at > first.streams_status.looked_at);
    server.answer(Some(streams(&["b"])));
    let mut changes = watcher.published().changes();
    changes.mark_unchanged();
    let other = block_on(watcher.reload()).unwrap();
    assert!(has(&["b"])(&other));
    assert!(changes.has_changed().unwrap());
}
