//! Who is built when: turns, joining, bounds, cancelling, and what requests are held against.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod cancelling;

#[path = "../scripted/mod.rs"]
mod scripted;

use actors::build_runner::{BuildResult, BuildState, Why};
use actors::stream_scheduler::{BuildRequest, CycleState, QUEUE_BUILDS_PER_USER, RequestError, Ticket};
use builder::{Delivery, Phase};
use scripted::engine::Step;
use scripted::{Builder, HOUR, current, eventually, is_queued, request};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_builds_of_two_users_on_two_places_neither_users_last_ends_more_than_one_later() {
    let streams: Vec<String> = (0..10).map(|number| format!("s{number}")).collect();
    let names: Vec<&str> = streams.iter().map(String::as_str).collect();
    let builder = Builder::new(2, &names);
    let mut tickets = Vec::new();
    for (number, name) in names.iter().enumerate() {
        builder.engine.next(name, &[Step::Wait]);
        // All of one user come before all of the other.
        let who = if number < 5 { "fred" } else { "barney" };
        tickets.push(builder.ask(name, who).await.unwrap());
    }
    for number in 0..10 {
        builder.begun((number + 2).min(10)).await;
        builder.engine.go(&builder.engine.begun_streams()[number]);
        eventually("it has ended", || builder.engine.ended().len() > number).await;
    }
    for ticket in &tickets {
        ticket.ended().await.outcome.clone().unwrap();
    }
    let ended = builder.engine.ended();
    let last_of = |own: &[&str]| {
        ended
            .iter()
            .rposition(|name| own.contains(&name.as_str()))
            .unwrap()
    };
    let (fred, barney) = (last_of(&names[..5]), last_of(&names[5..]));
    assert!(fred.abs_diff(barney) <= 1, "{ended:?}");
    assert_eq!(builder.engine.most_running(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_the_same_follows_the_first_and_the_image_lives_for_the_longest_asked() {
    let builder = Builder::new(1, &["a", "b"]);
    builder.engine.next("a", &[Step::Wait]);
    let first = builder.scheduler().request(of_commit("a", "fred")).await.unwrap();
    builder.begun(1).await;
    // One that waits, and one that runs.
    let waits = builder.ask("b", "fred").await.unwrap();
    let mut longer = request("b", "barney");
    longer.expires_in = 3 * HOUR;
    let joined = builder.scheduler().request(longer).await.unwrap();
    let mut longer = of_commit("a", "barney");
    longer.expires_in = 2 * HOUR;
    let late = builder.scheduler().request(longer).await.unwrap();
    assert!(!first.has_joined() && !waits.has_joined() && joined.has_joined() && late.has_joined());
    assert_eq!((joined.number(), late.number()), (waits.number(), first.number()));
    builder.engine.go("a");
    let result = late.ended().await;
    assert_eq!(result.joined_by, ["barney"]);
    assert_eq!(
        result.why,
        Why::Requested {
            by: "fred".to_owned()
        }
    );
    joined.ended().await.outcome.clone().unwrap();
    let begun = builder.engine.begun();
    assert_eq!(begun.len(), 2);
    assert_eq!(begun[1].expires_in, Some(3 * HOUR));
    // It had been told a shorter time when it began.
    assert_eq!(begun[0].expires_in, Some(HOUR));
    let name = result.outcome.clone().unwrap().name;
    assert_eq!(
        builder.server.extended(),
        [(name, builder.clock.now() + 2 * HOUR)]
    );
    assert_eq!(builder.snapshot().counts.joined, 2);
}

/// A request for something that does not change, so that builds that run are joined.
fn of_commit(stream: &str, who: &str) -> BuildRequest {
    BuildRequest {
        branch: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        ..request(stream, who)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_after_the_manifest_was_read_gets_an_image_of_what_is_there_now_and_others_join_him() {
    let builder = Builder::new(1, &["a"]);
    builder.engine.next("a", &[Step::Wait]);
    let first = builder.ask("a", "fred").await.unwrap();
    builder.begun(1).await;
    // Barney has pushed something meanwhile.
    let second = builder.ask("a", "barney").await.unwrap();
    let third = builder.ask("a", "fred").await.unwrap();
    assert!(!second.has_joined() && third.has_joined());
    assert_eq!(third.number(), second.number());
    builder.engine.go("a");
    let (first, second, third) = tokio::join!(first.ended(), second.ended(), third.ended());
    let name = |result: &BuildResult| result.outcome.clone().unwrap().name;
    assert_ne!(name(&first), name(&second));
    assert_eq!(name(&second), name(&third));
    assert_eq!(builder.engine.begun().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_builds_its_source_first_is_joined_since_it_reads_its_manifest_again() {
    let builder = Builder::new(1, &["a", "source"]);
    builder.engine.next("a", &[Step::Needs("source")]);
    builder.engine.next("source", &[Step::Wait]);
    builder.engine.next("a", &[Step::Wait]);
    let first = builder.ask("a", "fred").await.unwrap();
    builder.begun(2).await;
    assert!(builder.ask("a", "barney").await.unwrap().has_joined());
    builder.engine.go("source");
    builder.begun(3).await;
    let late = builder.ask("a", "barney").await.unwrap();
    assert!(!late.has_joined());
    builder.engine.go("a");
    first.ended().await.outcome.clone().unwrap();
    late.ended().await.outcome.clone().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_automatic_rebuild_whose_time_it_is_joins_a_build_that_runs() {
    let builder = Builder::with(current(&[], &["a"], &["a"]), |scheduling| {
        scheduling.places = 2;
        scheduling.rebuild_interval = HOUR;
        scheduling.first_cycle_pause = HOUR;
    });
    builder.engine.next("a", &[Step::Wait]);
    let ticket = builder.ask("a", "fred").await.unwrap();
    builder.begun(1).await;
    builder.clock.pass(HOUR);
    let number = ticket.number();
    eventually("the cycle waits for it", || {
        let cycle = builder.snapshot().auto.cycle.clone();
        cycle.is_some_and(|cycle| cycle.streams.get("a") == Some(&CycleState::Building { number }))
    })
    .await;
    builder.engine.go("a");
    ticket.ended().await.outcome.clone().unwrap();
    assert_eq!(builder.engine.begun().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_differ_are_built_each() {
    let builder = Builder::new(1, &["a"]);
    builder.engine.next("a", &[Step::Wait]);
    let mut requests = vec![request("a", "fred"); 6];
    requests[1].branch = "dev".to_owned();
    requests[2].max_source_age = Some(HOUR);
    requests[3]
        .variables
        .insert("NAME".to_owned(), "value".to_owned());
    requests[4].delivery = Delivery::Return;
    requests[5].disable_recursive_build = true;
    let mut tickets: Vec<Ticket> = Vec::new();
    for request in requests {
        tickets.push(builder.scheduler().request(request).await.unwrap());
    }
    builder.engine.go("a");
    for ticket in &tickets {
        assert!(!ticket.has_joined());
        ticket.ended().await.outcome.clone().unwrap();
    }
    assert_eq!(builder.engine.begun().len(), 6);
    // What is to be handed back is handed back, and has no name.
    assert!(tickets[4].build().image().is_some() && tickets[3].build().image().is_none());
    assert_eq!(tickets[4].ended().await.outcome.clone().unwrap().name, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_says_so_and_takes_others_requests() {
    let builder = Builder::new(1, &["a"]);
    builder.engine.next("a", &[Step::Wait]);
    let first = builder.ask("a", "fred").await.unwrap();
    builder.begun(1).await;
    let numbered = |number: usize, who: &str| {
        let mut request = request("a", who);
        request.variables.insert("NUMBER".to_owned(), number.to_string());
        request
    };
    let mut tickets = Vec::new();
    for number in 0..QUEUE_BUILDS_PER_USER {
        tickets.push(
            builder
                .scheduler()
                .request(numbered(number, "fred"))
                .await
                .unwrap(),
        );
    }
    let refused = builder.scheduler().request(numbered(1000, "fred")).await.err();
    assert_eq!(refused, Some(RequestError::QueueFull(QUEUE_BUILDS_PER_USER)));
    // Another's is next, before the hundred.
    let other = builder
        .scheduler()
        .request(numbered(1000, "barney"))
        .await
        .unwrap();
    let snapshot = builder.snapshot();
    assert_eq!(snapshot.queued[0].build.number, other.number());
    assert_eq!(
        snapshot.queued[0].waits_for.to_string(),
        "the only place is taken; it is next"
    );
    assert_eq!(
        snapshot.queued[9].waits_for.to_string(),
        "the only place is taken; 9 builds are before it"
    );
    assert_eq!(snapshot.counts.refused, 1);
    builder.engine.go("a");
    first.ended().await;
    other.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_refused_in_the_specified_order_and_words() {
    let builder = Builder::with(current(&["boot"], &["a"], &[]), |scheduling| {
        scheduling.places = 1
    });
    let refused = async |request| {
        builder
            .scheduler()
            .request(request)
            .await
            .err()
            .map(|error| error.to_string())
    };
    // The first check that fails speaks: here all would.
    let mut all_wrong = request("nowhere", "nobody");
    all_wrong.expires_in = Duration::ZERO;
    let disabled = builder
        .scheduler()
        .disable_build_requests("fred", Duration::from_secs(90))
        .await;
    assert_eq!(
        disabled.unwrap(),
        Some(builder.clock.now() + Duration::from_secs(90))
    );
    let text = refused(all_wrong.clone()).await.unwrap();
    let is_dated = text.starts_with("builds disabled until 15 Jan 2027 ");
    assert!(is_dated && text.ends_with(" (for 1m30s)"), "{text}");
    builder.clock.pass(Duration::from_secs(90));
    let text = refused(all_wrong.clone()).await.unwrap();
    assert_eq!(text, "minimum expiration duration is 15m0s");
    all_wrong.expires_in = 1000 * HOUR;
    assert_eq!(refused(all_wrong).await.unwrap(), "unknown stream: nowhere");
    let mut long = request("a", "nobody");
    long.expires_in = 25 * HOUR;
    assert_eq!(
        refused(long.clone()).await.unwrap(),
        "maximum expiration time is 1d0s"
    );
    long.requester.is_privileged = true;
    long.expires_in = 731 * HOUR;
    let text = refused(long.clone()).await.unwrap();
    assert_eq!(text, "maximum expiration time is 4w2d10h0m0s for you");
    assert_eq!(
        refused(request("a", "nobody")).await.unwrap(),
        "no permission to build: a"
    );
    assert_eq!(
        refused(request("a", "")).await.unwrap(),
        "no permission to build: a"
    );
    // Bootstrap streams are for those with method powers.
    assert_eq!(
        refused(request("boot", "fred")).await.unwrap(),
        "no permission to build: boot"
    );
    let mut powerful = request("boot", "nobody");
    powerful.requester.is_privileged = true;
    assert_eq!(refused(powerful).await, None);
    let text = builder
        .scheduler()
        .disable_build_requests("fred", 25 * HOUR)
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(text, "cannot disable build requests for more than: 24h");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_shows_its_log_and_phases_while_it_runs_and_its_history_afterwards() {
    let builder = Builder::new(1, &["a"]);
    builder.engine.next(
        "a",
        &[
            Step::Say(b"one\n".to_vec()),
            Step::Wait,
            Step::Say(b"two\n".to_vec()),
        ],
    );
    let ticket = builder.ask("a", "fred").await.unwrap();
    let mut follower = ticket.log().follow(0);
    let mut log = Vec::new();
    while !log.ends_with(b"one\n") {
        log.extend_from_slice(&follower.next(7).await.unwrap());
    }
    assert_eq!(log, b"Building: a for: fred\nbuild of a\none\n");
    let snapshot = builder.snapshot();
    assert_eq!(snapshot.running("a").unwrap().number, ticket.number());
    let phases: Vec<Phase> = ticket.build().phases().iter().map(|time| time.phase).collect();
    assert_eq!(phases, [Phase::FetchManifest, Phase::Scripts]);
    assert_eq!(snapshot.usual("a"), None);
    builder.clock.pass(Duration::from_secs(60));
    builder.engine.go("a");
    let mut rest = Vec::new();
    while let Some(piece) = follower.next(1000).await {
        rest.extend_from_slice(&piece);
    }
    assert_eq!(rest, b"two\n");
    ticket.ended().await;
    eventually("the result is kept", || {
        builder.snapshot().results.contains_key("a")
    })
    .await;
    let snapshot = builder.snapshot();
    assert!(snapshot.running.is_empty());
    let usual = snapshot.usual("a").unwrap();
    assert_eq!(usual.whole, Duration::from_secs(60));
    assert_eq!(usual.phases[&Phase::Scripts], Duration::from_secs(60));
    assert_eq!(snapshot.results["a"].log.read_from(0), [log, rest].concat());
    assert_eq!(snapshot.histories["a"][0].why.to_string(), "requested by fred");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_wait_for_the_first_load_of_the_streams_and_others_come_first() {
    let mut unloaded = current(&[], &["a"], &[]);
    unloaded.is_streams_loaded = false;
    let builder = Builder::with(unloaded, |scheduling| scheduling.places = 1);
    let scheduler = builder.scheduler().clone();
    let asked = tokio::spawn(async move {
        scheduler
            .request(request("a", "fred"))
            .await
            .map(|ticket| ticket.number())
    });
    builder.current.set(current(&[], &["a"], &[]));
    asked.await.unwrap().unwrap();
    builder.begun(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_goes_before_the_automatic_builds_that_wait_and_takes_one_of_them_with_it() {
    let names = ["a", "b", "c", "d"];
    let builder = Builder::with(current(&[], &names, &names), |scheduling| {
        scheduling.places = 1;
        scheduling.rebuild_interval = HOUR;
    });
    // Nothing is known of their sources, so one waits for the other; the first holds the place.
    builder.engine.next("a", &[Step::Wait]);
    builder.begun(1).await;
    let ticket = builder.ask("d", "fred").await.unwrap();
    assert!(is_queued(&ticket));
    builder.engine.go("a");
    ticket.ended().await;
    assert_eq!(builder.engine.begun_streams()[..2], ["a", "d"]);
}
