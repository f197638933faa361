//! Automatic rebuilds: order, failures, pauses, extending; switches; directories; dependencies.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod scripted;

use actors::Scheduling;
use actors::build_runner::Why;
use actors::config_watcher::Current;
use actors::stream_scheduler::{CycleState, ManifestFetcher, ManifestUrl, Manifests};
use scripted::cycles::{self, built, next_cycle};
use scripted::engine::Step;
use scripted::{Builder, HOUR, current, eventually, request};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Manifests with these sources, by stream: the directory of a stream has its name.
#[derive(Default)]
struct Sources(Mutex<BTreeMap<&'static str, &'static str>>, Mutex<usize>);

/// How long a fetch takes at least when `slow` is among the sources.
const SLOW: Duration = Duration::from_millis(300);

impl Sources {
    fn of(sources: &[(&'static str, &'static str)]) -> Arc<Sources> {
        Arc::new(Sources(
            Mutex::new(sources.iter().copied().collect()),
            Mutex::default(),
        ))
    }
}

impl ManifestFetcher for Sources {
    fn fetch(&self, url: &ManifestUrl, log: &mut Vec<u8>) -> Result<Manifests, String> {
        *self.1.lock().unwrap() += 1;
        log.extend_from_slice(b"fetched\n");
        assert_eq!(url.shown, "dir:///nowhere");
        let sources = self.0.lock().unwrap();
        if sources.contains_key("slow") {
            std::thread::sleep(SLOW);
        }
        if sources.contains_key("broken") {
            return Err("cannot fetch".to_owned());
        }
        let manifest = |(stream, source): (&&str, &&str)| {
            let text = format!(r#"{{"SourceImage": "{source}"}}"#);
            ((*stream).to_owned(), text.into_bytes())
        };
        Ok(sources.iter().map(manifest).collect())
    }
}

fn rebuilding(
    current: Current,
    sources: Option<Arc<Sources>>,
    change: impl FnOnce(&mut Scheduling),
) -> Builder {
    let manifests = sources.map(|sources| sources as Arc<dyn ManifestFetcher>);
    cycles::rebuilding(current, manifests, change)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bootstrap_streams_come_first_then_the_others_after_their_sources() {
    let current = current(&["boot/b", "boot/a"], &["app", "base", "other"], &["app", "base"]);
    let sources = Sources::of(&[("app", "base"), ("base", "boot/a"), ("other", "boot/b")]);
    let builder = rebuilding(current, Some(sources.clone()), |_| {});
    let known = builder.scheduler().dependencies(HOUR).await.unwrap();
    assert_eq!(known.stream_to_source.len(), 3);
    // All three are in one repository.
    assert_eq!(*sources.1.lock().unwrap(), 1);
    builder.server.has("base");
    let cycle = next_cycle(&builder).await;
    assert_eq!(cycle, built(&["app", "base", "boot/a", "boot/b"]));
    assert_eq!(
        builder.engine.begun_streams(),
        ["boot/a", "boot/b", "base", "app"]
    );
    let begun = builder.engine.begun();
    assert!(
        begun
            .iter()
            .all(|order| order.expires_in == Some(2 * HOUR) && order.max_source_age.is_none())
    );
    let why = |stream: &str| builder.snapshot().results[stream].result.why.clone();
    assert_eq!(why("app"), Why::NeverBuilt);
    // The image server has one.
    assert_eq!(why("base"), Why::Interval);
    let next_at = builder.snapshot().auto.next_at.unwrap();
    assert_eq!(next_at, builder.clock.now() + HOUR);
    // In the next cycle everything is built because it is time, or because its source was.
    next_cycle(&builder).await;
    assert_eq!(why("boot/a"), Why::Interval);
    builder.clock.pass(Duration::from_secs(1));
    eventually("every directory is there", || {
        builder.server.know(|known| known.directories.len()) == 6
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_fails_is_extended_and_who_depends_on_it_is_built_on_what_there_is() {
    let current = current(&["boot"], &["app", "base"], &["base", "app"]);
    let sources = Sources::of(&[("app", "base"), ("base", "boot")]);
    let builder = rebuilding(current, Some(sources), |_| {});
    builder.scheduler().dependencies(HOUR).await.unwrap();
    builder.server.has("base");
    builder.engine.next("boot", &[Step::Fail("exit status 1")]);
    builder.engine.next("base", &[Step::Fail("no such script")]);
    let cycle = next_cycle(&builder).await;
    let error = "exit status 1; there is no image to be extended".to_owned();
    assert_eq!(cycle["boot"], CycleState::Failed { error });
    let reason = "no such script".to_owned();
    assert_eq!(cycle["base"], CycleState::Extended { reason });
    assert_eq!(cycle["app"], CycleState::Built);
    assert_eq!(
        builder.server.extended(),
        [("base/newest".to_owned(), builder.clock.now() + 2 * HOUR)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_fails_again_and_again_pauses_for_longer_and_longer_and_a_request_goes_at_once() {
    let builder = rebuilding(current(&[], &["bad", "good"], &["bad", "good"]), None, |_| {});
    builder.server.has("bad");
    for _ in 0..20 {
        builder.engine.next("bad", &[Step::Fail("exit status 1")]);
    }
    let mut tried = Vec::new();
    for _ in 0..24 {
        let before = builder
            .engine
            .begun_streams()
            .iter()
            .filter(|name| *name == "bad")
            .count();
        let cycle = next_cycle(&builder).await;
        assert_eq!(cycle["good"], CycleState::Built);
        assert!(matches!(cycle["bad"], CycleState::Extended { .. }));
        let after = builder
            .engine
            .begun_streams()
            .iter()
            .filter(|name| *name == "bad")
            .count();
        tried.push(after > before);
    }
    let cycles: Vec<usize> = (0..24).filter(|cycle| tried[*cycle]).collect();
    // One, two, four, then eight cycles apart.
    assert_eq!(cycles, [0, 1, 3, 7, 15, 23]);
    assert_eq!(builder.snapshot().auto.backing_off["bad"].failures, 6);
    let ticket = builder.ask("bad", "fred").await.unwrap();
    assert_eq!(ticket.ended().await.error(), Some("exit status 1"));
    // One that goes well ends the pause.
    for _ in 0..20 {
        builder.engine.next("bad", &[]);
    }
    while builder
        .ask("bad", "fred")
        .await
        .unwrap()
        .ended()
        .await
        .error()
        .is_some()
    {}
    assert!(builder.snapshot().auto.backing_off.is_empty());
    assert_eq!(next_cycle(&builder).await["bad"], CycleState::Built);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_automatic_builds_are_disabled_images_are_extended_also_of_what_was_in_the_queue() {
    let builder = rebuilding(current(&["a", "b", "c"], &[], &[]), None, |_| {});
    for name in ["a", "b", "c"] {
        builder.server.has(name);
    }
    let scheduler = builder.scheduler();
    let refused = scheduler.disable_auto_builds("fred", 5 * HOUR).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot disable auto building for more than: 4h0m0s"
    );
    // One runs, two wait.
    builder.engine.next("a", &[Step::Wait]);
    builder.clock.pass(HOUR);
    builder.begun(1).await;
    eventually("two wait", || builder.snapshot().queued.len() == 2).await;
    scheduler.disable_auto_builds("fred", 2 * HOUR).await.unwrap();
    builder.engine.go("a");
    eventually("it has ended", || builder.snapshot().auto.last_cycle.is_some()).await;
    let cycle = builder.snapshot().auto.last_cycle.clone().unwrap();
    assert_eq!(cycle.streams["a"], CycleState::Built);
    assert!(
        matches!(cycle.streams["b"], CycleState::Extended { .. }),
        "{cycle:?}"
    );
    let cycle = next_cycle(&builder).await;
    let reason = "automatic builds are disabled".to_owned();
    assert_eq!(cycle["a"], CycleState::Extended { reason });
    assert_eq!(builder.engine.begun().len(), 1);
    assert_eq!(next_cycle(&builder).await, built(&["a", "b", "c"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cycle_started_by_hand_is_one_at_a_time_and_can_be_waited_for() {
    let builder = rebuilding(current(&["a"], &[], &[]), None, |scheduling| {
        scheduling.rebuild_interval = Duration::ZERO;
    });
    let scheduler = builder.scheduler().clone();
    assert_eq!(builder.snapshot().auto.next_at, None);
    builder.engine.next("a", &[Step::Wait]);
    scheduler.start_auto_builds("fred", false, false).await.unwrap();
    builder.begun(1).await;
    let busy = scheduler
        .start_auto_builds("fred", false, true)
        .await
        .unwrap_err();
    assert_eq!(busy.to_string(), "auto build busy");
    let waits = tokio::spawn(async move { scheduler.start_auto_builds("wilma", true, true).await });
    builder.engine.go("a");
    waits.await.unwrap().unwrap();
    let snapshot = builder.snapshot();
    let last = snapshot.auto.last_cycle.clone().unwrap();
    assert_eq!((last.number, last.started_by.as_deref()), (2, Some("wilma")));
    let started_by = Why::StartedBy {
        user: "wilma".to_owned(),
    };
    assert_eq!(snapshot.histories["a"][1].why, started_by);
    // Without a timer images live for an hour.
    assert_eq!(builder.engine.begun()[0].expires_in, Some(HOUR));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cycle_goes_on_when_the_scheduler_was_killed_in_it() {
    let names = ["a", "b", "c", "d"];
    let builder = rebuilding(current(&names, &[], &[]), None, |_| {});
    for name in names {
        builder.engine.next(name, &[Step::Wait]);
    }
    builder.clock.pass(HOUR);
    for (number, name) in names.iter().enumerate() {
        builder.begun(number + 1).await;
        builder.scheduler().debug_panic().await.unwrap_err();
        builder.engine.go(name);
    }
    eventually("it has ended", || builder.snapshot().auto.last_cycle.is_some()).await;
    assert_eq!(
        builder.snapshot().auto.last_cycle.clone().unwrap().streams,
        built(&names)
    );
    assert_eq!(builder.engine.begun_streams(), names);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dependencies_tell_what_nothing_can_build_and_keep_the_last_good_data() {
    let sources = Sources::of(&[("app", "base"), ("base", "boot"), ("odd", "nowhere")]);
    let current = current(&["boot"], &["app", "base", "odd"], &[]);
    let builder = rebuilding(current, Some(sources.clone()), |_| {});
    let good = builder.scheduler().dependencies(HOUR).await.unwrap();
    assert_eq!(good.stream_to_source["app"], "base");
    assert_eq!(good.unbuildable_sources.iter().collect::<Vec<_>>(), ["nowhere"]);
    assert!(good.pattern_sources.is_empty());
    assert_eq!(good.fetch_log, b"Fetching dir:///nowhere\nfetched\n");
    assert_eq!(good.dependents("base").collect::<Vec<_>>(), ["app"]);
    sources.0.lock().unwrap().insert("broken", "");
    // However slow this machine is: no attempt does for longer.
    builder.clock.pass(Duration::from_secs(61));
    let bad = builder
        .scheduler()
        .dependencies(Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(
        bad.last_attempt_error.as_deref(),
        Some("dir:///nowhere: cannot fetch")
    );
    assert_eq!(bad.stream_to_source, good.stream_to_source);
    assert!(bad.last_attempt_at > good.last_attempt_at && bad.generated_at == good.generated_at);
    // Zero asks for nothing new.
    let same = builder.scheduler().dependencies(Duration::ZERO).await.unwrap();
    assert_eq!(same, bad);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dependencies_that_take_long_are_not_made_at_once_for_whoever_asks() {
    let sources = Sources::of(&[("app", "boot"), ("slow", "boot")]);
    let builder = rebuilding(current(&["boot"], &["app"], &[]), Some(sources.clone()), |_| {});
    let second = Duration::from_secs(1);
    let first = builder.scheduler().dependencies(HOUR).await.unwrap();
    // Older than what was asked for, but younger than ten times what it took.
    builder.clock.pass(SLOW * 9);
    let same = builder.scheduler().dependencies(second).await.unwrap();
    assert_eq!(same, first);
    assert_eq!(*sources.1.lock().unwrap(), 1);
    builder.clock.pass(Duration::from_secs(61));
    let next = builder.scheduler().dependencies(second).await.unwrap();
    assert!(next.last_attempt_at > first.last_attempt_at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_cannot_be_read_takes_the_graph_away_and_not_the_order_of_cycles() {
    // There is no manifest for `odd`.
    let sources = Sources::of(&[("app", "base"), ("base", "boot")]);
    let current = current(&["boot"], &["app", "base", "odd"], &["app", "base"]);
    let builder = rebuilding(current, Some(sources.clone()), |_| {});
    let known = builder.scheduler().dependencies(HOUR).await.unwrap();
    let problem = "odd: no manifest in odd of dir:///nowhere";
    assert_eq!(known.last_attempt_error.as_deref(), Some(problem));
    assert!(known.stream_to_source.is_empty() && known.generated_at.is_none());
    next_cycle(&builder).await;
    assert_eq!(builder.engine.begun_streams(), ["boot", "base", "app"]);
    // Nor if nothing can be read any more.
    sources.0.lock().unwrap().insert("broken", "");
    builder.clock.pass(Duration::from_secs(61));
    let age = Duration::from_secs(1);
    let known = builder.scheduler().dependencies(age).await.unwrap();
    let problem = "dir:///nowhere: cannot fetch";
    assert_eq!(known.last_attempt_error.as_deref(), Some(problem));
    next_cycle(&builder).await;
    assert_eq!(builder.engine.begun_streams()[3..], ["boot", "base", "app"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_that_no_cycle_would_make_ends_no_pause_and_is_no_newer_source() {
    let current = current(&[], &["app", "base", "bad"], &["app", "bad"]);
    let sources = Sources::of(&[("app", "base"), ("base", "nowhere"), ("bad", "nowhere")]);
    let builder = rebuilding(current, Some(sources), |_| {});
    builder.scheduler().dependencies(HOUR).await.unwrap();
    builder.server.has("bad");
    builder.engine.next("bad", &[Step::Fail("exit status 1")]);
    builder.engine.next("bad", &[Step::Fail("exit status 1")]);
    next_cycle(&builder).await;
    next_cycle(&builder).await;
    let mut branch = request("", "fred");
    branch.branch = "topic".to_owned();
    let mut variable = request("", "fred");
    variable.variables.insert("A".to_owned(), "b".to_owned());
    let mut returned = request("", "fred");
    returned.delivery = builder::Delivery::Return;
    builder.clock.pass(Duration::from_secs(1));
    let ask = async |mut request: actors::stream_scheduler::BuildRequest, stream: &str| {
        request.stream = stream.to_owned();
        let ticket = builder.scheduler().request(request).await.unwrap();
        assert_eq!(ticket.ended().await.error(), None);
    };
    for request in [branch, variable, returned] {
        ask(request.clone(), "bad").await;
        ask(request, "base").await;
    }
    assert_eq!(builder.snapshot().auto.backing_off["bad"].failures, 2);
    assert!(matches!(
        next_cycle(&builder).await["bad"],
        CycleState::Extended { .. }
    ));
    let why = || builder.snapshot().results["app"].result.why.clone();
    assert_eq!(why(), Why::Interval);
    builder.clock.pass(Duration::from_secs(1));
    ask(request("", "fred"), "bad").await;
    ask(request("", "fred"), "base").await;
    assert!(builder.snapshot().auto.backing_off.is_empty());
    assert_eq!(next_cycle(&builder).await["bad"], CycleState::Built);
    let source = "base".to_owned();
    assert_eq!(why(), Why::SourceNewer { source });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_that_no_cycle_would_make_is_no_newer_source_after_a_restart_either() {
    let sources = || Sources::of(&[("app", "base"), ("base", "nowhere")]);
    let current = current(&[], &["app", "base"], &["app"]);
    let mut builder = rebuilding(current, Some(sources()), |_| {});
    next_cycle(&builder).await;
    for (branch, is_newer) in [("topic", false), ("", true)] {
        builder.clock.pass(Duration::from_secs(1));
        let mut base = request("base", "fred");
        base.branch = branch.to_owned();
        let ticket = builder.scheduler().request(base).await.unwrap();
        assert_eq!(ticket.ended().await.error(), None);
        drop(ticket);
        builder.system.take().unwrap().stop();
        builder.start(|scheduling| {
            scheduling.places = 1;
            scheduling.first_cycle_pause = HOUR;
            scheduling.rebuild_interval = HOUR;
            scheduling.manifests = Some(sources());
        });
        builder.scheduler().dependencies(HOUR).await.unwrap();
        next_cycle(&builder).await;
        let why = builder.snapshot().results["app"].result.why.clone();
        assert_eq!(
            matches!(why, Why::SourceNewer { .. }),
            is_newer,
            "{branch}: {why:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_and_usual_times_are_there_again_after_a_restart() {
    let mut builder = rebuilding(current(&["a"], &[], &[]), None, |_| {});
    next_cycle(&builder).await;
    builder.engine.next("a", &[Step::Fail("exit status 1")]);
    next_cycle(&builder).await;
    let before = builder.snapshot().histories["a"].clone();
    builder.system.take().unwrap().stop();
    builder.start(|_| {});
    let after = builder.snapshot().histories["a"].clone();
    assert_eq!(after.len(), 2);
    for (before, after) in before.iter().zip(after.iter()) {
        assert_eq!(
            (&before.name, &before.error, &before.phases),
            (&after.name, &after.error, &after.phases)
        );
        assert_eq!(before.why.to_string(), after.why.to_string());
        assert_eq!(before.duration, after.duration);
    }
    assert!(builder.snapshot().usual("a").is_some());
}
