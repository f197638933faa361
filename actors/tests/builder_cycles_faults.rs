//! Automatic rebuilds when something goes wrong that is not theirs: builds that hang, an image server that is away or slow, a clock
//! that is set back.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod scripted;

use actors::build_runner::Why;
use actors::stream_scheduler::{CycleState, ManifestFetcher, ManifestUrl, Manifests};
use scripted::cycles::{built, next_cycle, rebuilding};
use scripted::engine::Step;
use scripted::{Builder, HOUR, current, eventually};
use srpc::ConnectOptions;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// `app` is built on `hang`.
struct AppOnHang;

impl ManifestFetcher for AppOnHang {
    fn fetch(&self, _: &ManifestUrl, _: &mut Vec<u8>) -> Result<Manifests, String> {
        let text = br#"{"SourceImage": "hang"}"#.to_vec();
        Ok([("app".to_owned(), text)].into())
    }
}

fn extended(state: &CycleState) -> &str {
    match state {
        CycleState::Extended { reason } => reason,
        _ => "",
    }
}

fn extensions_of(builder: &Builder, image: &str) -> usize {
    let all = builder.server.extended();
    all.iter().filter(|(name, _)| name == image).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_one_build_hangs_the_others_are_rebuilt_in_every_cycle_and_its_image_is_extended() {
    let current = current(&["good", "hang"], &["app"], &["app"]);
    let manifests: Arc<dyn ManifestFetcher> = Arc::new(AppOnHang);
    let builder = rebuilding(current, Some(manifests), |scheduling| scheduling.places = 2);
    builder.scheduler().dependencies(HOUR).await.unwrap();
    builder.server.has("hang");
    builder.engine.next("hang", &[Step::Wait]);
    builder.clock.pass(HOUR);
    let cycle = || builder.snapshot().auto.cycle.clone();
    eventually("only one build and who waits for it are left", || {
        cycle().is_some_and(|cycle| cycle.streams.get("good") == Some(&CycleState::Built))
    })
    .await;
    let CycleState::Building { number } = cycle().unwrap().streams["hang"] else {
        panic!("it does not hang");
    };
    let late = format!("build {number}, of an earlier cycle, has not ended");
    let on = vec!["hang".to_owned()];
    assert_eq!(cycle().unwrap().streams["app"], CycleState::Waiting { on });
    for number in 1..4 {
        let cycle = next_cycle(&builder).await;
        assert_eq!(cycle["good"], CycleState::Built);
        assert_eq!(cycle["app"], CycleState::Built);
        assert_eq!(extended(&cycle["hang"]), late);
        assert_eq!(extensions_of(&builder, "hang/newest"), number);
    }
    let until = builder.clock.now() + 2 * HOUR;
    assert!(builder.server.extended().iter().any(|(_, at)| *at == until));
    let hangs = |builder: &Builder| {
        let begun = builder.engine.begun_streams();
        begun.iter().filter(|name| *name == "hang").count()
    };
    assert_eq!(hangs(&builder), 1);
    builder.engine.go("hang");
    eventually("it has ended", || builder.snapshot().running.is_empty()).await;
    assert_eq!(next_cycle(&builder).await, built(&["app", "good", "hang"]));
    assert_eq!(hangs(&builder), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_one_build_has_the_only_place_the_images_of_those_that_wait_are_extended() {
    let builder = rebuilding(current(&["a", "b"], &[], &[]), None, |_| {});
    builder.server.has("b");
    builder.engine.next("a", &[Step::Wait]);
    builder.clock.pass(HOUR);
    eventually("one waits", || builder.snapshot().queued.len() == 1).await;
    let cycle = next_cycle(&builder).await;
    assert!(extended(&cycle["b"]).contains("has not ended"), "{cycle:?}");
    // It still waits, and once.
    assert_eq!(builder.snapshot().queued.len(), 1);
    builder.engine.go("a");
    eventually("both have ended", || builder.snapshot().counts.succeeded == 2).await;
    assert_eq!(builder.engine.begun_streams(), ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_cycle_that_was_overtaken_is_told_of_its_end() {
    let builder = rebuilding(current(&["a"], &[], &[]), None, |_| {});
    builder.engine.next("a", &[Step::Wait]);
    let scheduler = builder.scheduler().clone();
    let waits = tokio::spawn(async move { scheduler.start_auto_builds("fred", false, true).await });
    builder.begun(1).await;
    next_cycle(&builder).await;
    waits.await.unwrap().unwrap();
    builder.engine.go("a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_stops_no_automatic_rebuilds_and_prolongs_nothing() {
    let builder = rebuilding(current(&["a"], &[], &[]), None, |_| {});
    builder.engine.next("a", &[Step::Fail("exit status 1")]);
    builder.engine.next("a", &[Step::Fail("exit status 1")]);
    next_cycle(&builder).await;
    next_cycle(&builder).await;
    let scheduler = builder.scheduler();
    scheduler.disable_auto_builds("fred", 3 * HOUR).await.unwrap();
    scheduler.disable_build_requests("fred", 2 * HOUR).await.unwrap();
    let pause = |builder: &Builder| {
        let until = builder.snapshot().auto.backing_off["a"].until;
        until.duration_since(builder.clock.now()).unwrap()
    };
    let before = pause(&builder);
    builder.clock.go_back(1000 * HOUR);
    let now = builder.clock.now();
    eventually("it is seen", || {
        builder.snapshot().auto.next_at == Some(now + HOUR)
    })
    .await;
    let snapshot = builder.snapshot();
    assert_eq!(snapshot.auto.disabled_until, Some(now + 3 * HOUR));
    assert_eq!(snapshot.requests_disabled_until, Some(now + 2 * HOUR));
    assert_eq!(pause(&builder), before);
    scheduler
        .disable_auto_builds("fred", Duration::ZERO)
        .await
        .unwrap();
    next_cycle(&builder).await;
    assert_eq!(next_cycle(&builder).await, built(&["a"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cycle_waits_for_an_image_server_that_is_away_and_builds_nothing_for_nothing() {
    // Nobody listens where somebody did.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    let attempts = Arc::new(AtomicUsize::new(0));
    let away = Arc::new(std::sync::Mutex::new(Some(address)));
    let (counted, seen) = (attempts.clone(), away.clone());
    let builder = rebuilding(current(&["a"], &[], &[]), None, move |scheduling| {
        let there = scheduling.connect.clone();
        scheduling.connect = Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            match &*seen.lock().unwrap() {
                Some(address) => ConnectOptions::new(address.clone()),
                None => there(),
            }
        });
    });
    builder.clock.pass(HOUR);
    eventually("a cycle has begun", || builder.snapshot().auto.cycle.is_some()).await;
    let before = attempts.load(Ordering::SeqCst);
    eventually("it is tried again", || {
        attempts.load(Ordering::SeqCst) > before + 2
    })
    .await;
    assert!(builder.engine.begun().is_empty());
    *away.lock().unwrap() = None;
    eventually("the cycle has ended", || {
        builder.snapshot().auto.last_cycle.is_some()
    })
    .await;
    let last = builder.snapshot().auto.last_cycle.clone().unwrap();
    assert_eq!(last.streams, built(&["a"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_the_image_server_was_away_from_is_no_failure_of_its_stream() {
    let builder = rebuilding(current(&["boot"], &["app"], &["app"]), None, |scheduling| {
        scheduling.places = 2;
    });
    builder.server.has("boot");
    // Twice: built again in the same cycle, and who needs it waits for that.
    builder.engine.next("boot", &[Step::ServerAway]);
    builder.engine.next("boot", &[Step::ServerAway]);
    assert_eq!(next_cycle(&builder).await, built(&["app", "boot"]));
    assert_eq!(builder.engine.begun_streams(), ["boot", "boot", "boot", "app"]);
    // Always: not for ever in this cycle, and none the later in the next.
    for _ in 0..3 {
        builder.engine.next("boot", &[Step::ServerAway]);
    }
    let cycle = next_cycle(&builder).await;
    assert_eq!(extended(&cycle["boot"]), "the image server is away");
    assert_eq!(cycle["app"], CycleState::Built);
    assert!(builder.snapshot().auto.backing_off.is_empty());
    assert_eq!(next_cycle(&builder).await, built(&["app", "boot"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_server_that_does_not_answer_holds_up_no_stream_of_a_cycle() {
    let builder = rebuilding(current(&["a", "b", "c"], &[], &[]), None, |_| {});
    builder.server.know(|known| known.keeps_silent = true);
    assert_eq!(next_cycle(&builder).await, built(&["a", "b", "c"]));
    // Whether there was ever an image nobody knows.
    assert_eq!(builder.snapshot().results["a"].result.why, Why::Interval);
}
