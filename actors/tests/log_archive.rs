//! Logs of builds that ended: where they lie, what goes first, what is found, and that no name leads out.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod scripted;

use actors::log_archive::{SEARCH_LINES_PER_LOG, SearchQuery};
use actors::{Archiving, LogArchive, Scheduling, start_builder};
use scripted::engine::{ScriptedEngine, Step};
use scripted::server::SmallImageServer;
use scripted::{Builder, current, eventually, request};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn archive(builder: &Builder) -> LogArchive {
    builder.system.as_ref().unwrap().archive.clone().unwrap()
}

async fn build(builder: &Builder, stream: &str, steps: &[Step]) {
    builder.engine.next(stream, steps);
    let stored = archive(builder).listing().builds.len();
    builder.ask(stream, "fred").await.unwrap().ended().await;
    eventually("it is stored", || {
        archive(builder).listing().builds.len() > stored
    })
    .await;
}

/// Actors on a directory that a test has filled.
fn on(dir: &Path, quota_bytes: u64) -> (actors::BuilderSystem, Arc<ScriptedEngine>) {
    let engine = Arc::<ScriptedEngine>::default();
    let published = actors::config_watcher::Published::new(current(&[], &["s"], &[]));
    let scheduling = Scheduling {
        rebuild_interval: Duration::ZERO,
        spool_dir: std::env::temp_dir(),
        ..Scheduling::new(published, engine.clone(), SmallImageServer::start().connect())
    };
    let archiving = Archiving {
        dir: dir.to_owned(),
        quota_bytes,
    };
    (start_builder(scheduling, Some(archiving)).unwrap(), engine)
}

/// As the original writes it.
fn put(dir: &Path, name: &str, log: &[u8], info: Option<&str>, seconds: u64) {
    let place = dir.join(name);
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("buildLog"), log).unwrap();
    if let Some(info) = info {
        std::fs::write(place.join("buildInfo"), info).unwrap();
    }
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let file = std::fs::File::options()
        .write(true)
        .open(place.join("buildLog"))
        .unwrap();
    file.set_modified(at).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_and_bad_builds_are_kept_where_the_original_keeps_them() {
    let builder = Builder::new(1, &["users/fred/app"]);
    build(&builder, "users/fred/app", &[]).await;
    build(&builder, "users/fred/app", &[Step::Fail("exit status 1")]).await;
    let listing = archive(&builder).listing();
    let [good, bad] = listing.builds.as_slice() else {
        panic!("{listing:?}")
    };
    assert!(good.is_good() && !bad.is_good());
    // The good one has the name of its image, the bad one that of the moment.
    let number = builder.engine.begun()[0].number;
    assert_eq!(good.name, format!("users/fred/app/{number}"));
    let stamp = bad.name.strip_prefix("users/fred/app/").unwrap();
    assert!(stamp.starts_with("2027-01-15:") && stamp.len() == 19, "{stamp}");
    let place = builder.root.path().join("archive").join(&bad.name);
    let info = std::fs::read_to_string(place.join("buildInfo")).unwrap();
    assert!(
        info.contains("\n    \"Error\": \"exit status 1\",\n    \"RequestorUsername\": \"fred\","),
        "{info}"
    );
    let log = std::fs::read_to_string(place.join("buildLog")).unwrap();
    assert!(log.ends_with("Build failed: exit status 1\n"));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(
        (
            mode(&place),
            mode(&place.join("buildLog")),
            mode(&place.join("buildInfo"))
        ),
        (0o755, 0o644, 0o644)
    );
    assert_eq!(listing.by_requester["fred"].len(), 2);
    assert_eq!(listing.by_stream["users/fred/app"].len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_original_left_is_listed_by_its_times_and_what_was_not_finished_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path();
    put(
        dir,
        "a/b/2026-01-02:00:00:00",
        b"new",
        Some("{\"Duration\": 2000000000}"),
        2000,
    );
    put(
        dir,
        "a/b/2026-01-01:00:00:00",
        b"old",
        Some("{\"Error\": \"no\", \"RequestorUsername\": \"fred\"}"),
        1000,
    );
    put(dir, "c/2026-01-03:00:00:00", b"bare", None, 3000);
    put(dir, "c/2026-01-04:00:00:00", b"odd", Some("not json"), 4000);
    put(dir, ".unfinished-a_b", b"half", None, 5000);
    std::os::unix::fs::symlink(dir.join("a"), dir.join("link")).unwrap();
    let (system, _) = on(dir, 100 << 20);
    let listing = system.archive.as_ref().unwrap().listing();
    let names: Vec<&str> = listing.builds.iter().map(|build| build.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "a/b/2026-01-01:00:00:00",
            "a/b/2026-01-02:00:00:00",
            "c/2026-01-03:00:00:00",
            "c/2026-01-04:00:00:00"
        ]
    );
    assert_eq!(listing.builds[1].duration, Duration::from_secs(2));
    assert_eq!(
        (
            listing.builds[0].error.as_str(),
            listing.builds[0].requester.as_str()
        ),
        ("no", "fred")
    );
    assert!(!dir.join(".unfinished-a_b").exists());
    assert_eq!(system.scheduler.snapshot().histories["a/b"].len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_name_leads_out_of_the_directory() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("archive");
    put(root.path(), "secret/1", b"secret", None, 1);
    put(&dir, "s/1", b"log", None, 1);
    std::os::unix::fs::symlink(root.path().join("secret"), dir.join("link")).unwrap();
    let (system, _) = on(&dir, 100 << 20);
    let archive = system.archive.clone().unwrap();
    for name in [
        "../secret/1",
        "s/../../secret/1",
        "link/1",
        "/etc/passwd",
        "s//1",
        "s/./1",
        "",
        "s",
        "s/1/",
    ] {
        assert!(archive.log(name).is_err(), "{name}");
    }
    assert_eq!(archive.log("s/1").unwrap().read_from(0), b"log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oldest_go_when_the_quota_is_reached_and_the_archive_stays_below_it() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path();
    let log = vec![b'x'; 100_000];
    for number in 0..9_u64 {
        put(dir, &format!("old/{number}"), &log, None, 1000 + number);
    }
    let quota = 1_000_000;
    let (system, engine) = on(dir, quota);
    let archive = system.archive.clone().unwrap();
    for round in 0..12_u64 {
        engine.next("s", &[Step::Say(vec![b'y'; 90_000])]);
        let mut asked = request("s", "fred");
        asked.variables.insert("ROUND".to_owned(), round.to_string());
        let ticket = system.scheduler.request(asked).await.unwrap();
        ticket.ended().await.outcome.clone().unwrap();
        let newest = || archive.listing().builds.last().map(|build| build.number);
        eventually("it is stored", || newest() == Some(ticket.number())).await;
        assert!(archive.listing().bytes < quota);
    }
    let listing = archive.listing();
    assert!(!listing.by_stream.contains_key("old"));
    assert!(!dir.join("old").exists());
    let newest: Vec<u64> = listing.builds.iter().map(|build| build.number).collect();
    assert!(newest.is_sorted() && newest.len() >= 7, "{newest:?}");
    // One that is more than everything may be is told, and fails nothing.
    engine.next("s", &[Step::Say(vec![b'z'; 2_000_000])]);
    let ticket = system.scheduler.request(request("s", "fred")).await.unwrap();
    ticket.ended().await.outcome.clone().unwrap();
    eventually("it is told", || archive.listing().last_error.is_some()).await;
    let told = archive.listing().last_error.clone().unwrap();
    assert!(told.contains("more than the quota"), "{told}");
    assert!(archive.health().trouble.is_some());
    assert_eq!(ticket.log().state().bytes, ticket.log().read_from(0).len() as u64);
    // The next that is kept ends it.
    let ticket = system.scheduler.request(request("s", "fred")).await.unwrap();
    ticket.ended().await.outcome.clone().unwrap();
    eventually("nothing is wrong", || archive.health().trouble.is_none()).await;
    assert_eq!(archive.listing().last_error, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_found_newest_first_with_its_lines_and_within_bounds() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path();
    put(dir, "a/1", b"first\nThe needle is here\n", None, 1000);
    put(dir, "a/2", b"nothing\n", Some("{\"Error\": \"bad\"}"), 2000);
    let many = "NEEDLE\n".repeat(SEARCH_LINES_PER_LOG + 5);
    put(dir, "b/1", many.as_bytes(), Some("{\"Error\": \"bad\"}"), 3000);
    let (system, _) = on(dir, 100 << 20);
    let archive = system.archive.clone().unwrap();
    let query = |text: &str| SearchQuery {
        text: text.to_owned(),
        ..SearchQuery::default()
    };
    let result = archive.search(query("needle")).await.unwrap();
    let names: Vec<&str> = result
        .found
        .iter()
        .map(|found| found.build.name.as_str())
        .collect();
    assert_eq!(names, ["b/1", "a/1"]);
    assert_eq!(result.found[1].lines, [(2, "The needle is here".to_owned())]);
    assert_eq!(result.found[0].lines.len(), SEARCH_LINES_PER_LOG);
    assert!(result.is_cut && result.logs_read == 3);
    let mut of_stream = query("needle");
    of_stream.stream = Some("a".to_owned());
    assert_eq!(archive.search(of_stream).await.unwrap().found.len(), 1);
    let mut failed = query("n");
    failed.only_failed = true;
    assert_eq!(archive.search(failed).await.unwrap().logs_read, 2);
    assert!(archive.search(query("")).await.is_err());
    assert!(archive.search(query(&"x".repeat(257))).await.is_err());
}
