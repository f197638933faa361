//! What goes wrong in a build stays in that build; an actor that panics costs nobody his build; sources are built in the same log.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod scripted;

use actors::build_runner::{BuildState, LOG_BYTES, LOG_MEMORY_BYTES, Why};
use actors::stream_scheduler::Ticket;
use actors::{ActorState, CallError};
use builder::Phase;
use scripted::engine::Step;
use scripted::{Builder, current, eventually, request};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_a_build_ends_that_build_with_its_text_and_no_other() {
    let builder = Builder::new(2, &["a", "b"]);
    builder.engine.next("a", &[Step::Panic]);
    builder.engine.next("b", &[Step::Wait]);
    let other = builder.ask("b", "barney").await.unwrap();
    let failed = builder.ask("a", "fred").await.unwrap();
    let result = failed.ended().await;
    let failure = result.outcome.clone().unwrap_err();
    assert_eq!(failure.text, "internal error in the build: on purpose");
    assert_eq!(failure.phase, Some(Phase::Scripts));
    let log = String::from_utf8(failed.log().read_from(0)).unwrap();
    assert!(
        log.ends_with("Build failed: internal error in the build: on purpose\n"),
        "{log}"
    );
    assert_eq!(builder.snapshot().running.len(), 1);
    builder.engine.go("b");
    other.ended().await.outcome.clone().unwrap();
    builder
        .ask("a", "fred")
        .await
        .unwrap()
        .ended()
        .await
        .outcome
        .clone()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_ignores_its_end_is_reported_and_its_place_is_free_when_it_has_ended() {
    let builder = Builder::with(current(&[], &["a", "b"], &[]), |scheduling| {
        scheduling.places = 1;
        scheduling.cancel_grace = Duration::from_millis(1);
    });
    builder.engine.next("a", &[Step::Hang]);
    let hangs = builder.ask("a", "fred").await.unwrap();
    builder.begun(1).await;
    let waits = builder.ask("b", "fred").await.unwrap();
    builder.scheduler().cancel(hangs.number(), "wilma").await.unwrap();
    let failure = hangs.ended().await.outcome.clone().unwrap_err();
    assert!(failure.is_cancelled);
    assert!(
        failure
            .text
            .starts_with("cancelled by wilma; it has not ended within "),
        "{failure}"
    );
    let snapshot = builder.snapshot();
    assert!(snapshot.running.is_empty());
    assert_eq!(snapshot.stuck[0].number, hangs.number());
    let reason = snapshot.queued[0].waits_for.to_string();
    assert_eq!(
        reason,
        "the only place is taken, 1 by builds that do not end; it is next"
    );
    let health = builder.scheduler().health();
    assert!(health.trouble.unwrap().contains("does not end"));
    assert!(matches!(waits.build().state(), BuildState::Queued));
    builder.engine.go("a");
    waits.ended().await.outcome.clone().unwrap();
    eventually("nothing is stuck", || builder.snapshot().stuck.is_empty()).await;
    assert_eq!(builder.scheduler().health().trouble, None);
    // Its late success changes nothing of what was told.
    assert!(builder.snapshot().results["a"].result.outcome.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_of_a_builds_actor_ends_the_build_and_never_leaves_it_listed() {
    let builder = Builder::new(1, &["a", "b"]);
    builder.engine.next("a", &[Step::Wait]);
    let ticket = builder.ask("a", "fred").await.unwrap();
    builder.begun(1).await;
    let number = ticket.number();
    let mut tries = 0;
    while matches!(ticket.build().state(), BuildState::Running { .. }) && tries < 1000 {
        builder.scheduler().debug_panic_runner(number).await.unwrap();
        tries += 1;
        tokio::task::yield_now().await;
    }
    let failure = ticket.ended().await.outcome.clone().unwrap_err();
    assert_eq!(
        failure.text,
        "internal error: the build's runner failed, so the build was ended"
    );
    assert!(!failure.is_cancelled);
    eventually("its thread has ended", || {
        let snapshot = builder.snapshot();
        snapshot.running.is_empty() && snapshot.stuck.is_empty()
    })
    .await;
    builder
        .ask("b", "fred")
        .await
        .unwrap()
        .ended()
        .await
        .outcome
        .clone()
        .unwrap();
    assert_eq!(builder.scheduler().health().restarts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scheduler_killed_under_load_comes_back_and_every_build_gets_its_turn() {
    let streams: Vec<String> = (0..40).map(|number| format!("s{number}")).collect();
    let names: Vec<&str> = streams.iter().map(String::as_str).collect();
    let builder = Builder::new(2, &names);
    for name in &names {
        builder.engine.next(name, &[Step::Wait]);
    }
    let mut tickets: Vec<Ticket> = Vec::new();
    for name in &names {
        tickets.push(
            builder
                .ask(
                    name,
                    if tickets.len().is_multiple_of(2) {
                        "fred"
                    } else {
                        "barney"
                    },
                )
                .await
                .unwrap(),
        );
    }
    for round in 1..=3 {
        let asked = {
            let scheduler = builder.scheduler().clone();
            // One that waits, so that it is joined.
            tokio::spawn(async move { scheduler.request(request("s39", "fred")).await.map(drop) })
        };
        let died = builder.scheduler().debug_panic().await.unwrap_err();
        assert_eq!(
            died,
            CallError::Restarted {
                actor: "StreamScheduler"
            }
        );
        // Whoever asks meanwhile gets an answer.
        let _ = asked.await.unwrap();
        names
            .iter()
            .skip(round * 5)
            .take(5)
            .for_each(|name| builder.engine.go(name));
        let is_back = || {
            let health = builder.scheduler().health();
            health.state == ActorState::Running && health.restarts == round as u64
        };
        eventually("the scheduler is back", is_back).await;
    }
    names.iter().for_each(|name| builder.engine.go(name));
    for ticket in &tickets {
        ticket.ended().await.outcome.clone().unwrap();
    }
    assert_eq!(builder.engine.begun().len(), 40);
    assert_eq!(builder.engine.most_running(), 2);
    // Ranges of identities are never used by two at once: with two places there are two.
    assert!(builder.engine.begun().iter().all(|order| order.slot < 2));
    builder
        .ask("s0", "fred")
        .await
        .unwrap()
        .ended()
        .await
        .outcome
        .clone()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_archive_killed_under_load_comes_back_and_has_every_log() {
    let builder = Builder::new(2, &["a"]);
    let archive = builder.system.as_ref().unwrap().archive.clone().unwrap();
    for round in 1..=3 {
        let mut tickets = Vec::new();
        for number in 0..10 {
            let mut request = request("a", "fred");
            request.variables.insert("NUMBER".to_owned(), number.to_string());
            tickets.push(builder.scheduler().request(request).await.unwrap());
        }
        archive.debug_panic().await.unwrap_err();
        for ticket in &tickets {
            ticket.ended().await.outcome.clone().unwrap();
        }
        eventually("all are stored", || archive.listing().builds.len() == round * 10).await;
    }
    assert_eq!(archive.health().restarts, 3);
    let listing = archive.listing();
    for build in &listing.builds {
        let log = archive.log(&build.name).unwrap().read_from(0);
        assert_eq!(log, b"Building: a for: fred\nbuild of a\n");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_is_built_in_the_same_log_and_recorded_under_its_own_name() {
    let builder = Builder::new(1, &["app", "base", "boot"]);
    builder.engine.next("app", &[Step::Needs("base")]);
    builder.engine.next("base", &[Step::Needs("boot")]);
    let mut asked = request("app", "fred");
    asked.variables.insert("NAME".to_owned(), "own".to_owned());
    let ticket = builder.scheduler().request(asked).await.unwrap();
    ticket.ended().await.outcome.clone().unwrap();
    assert_eq!(
        builder.engine.begun_streams(),
        ["app", "base", "boot", "base", "app"]
    );
    let begun = builder.engine.begun();
    assert!(
        begun
            .iter()
            .all(|order| order.variables["NAME"] == "own" && order.slot == 0)
    );
    // Images of sources are nobody's; each attempt has a number of its own.
    assert_eq!(
        (begun[1].created_for.as_str(), begun[4].created_for.as_str()),
        ("", "fred")
    );
    let numbers: std::collections::BTreeSet<u64> = begun.iter().map(|order| order.number).collect();
    assert_eq!(numbers.len(), 5);
    let log = String::from_utf8(ticket.log().read_from(0)).unwrap();
    let of_boot = "Building source image: boot for: base\nbuild of boot\n";
    let expected = format!(
        "Building: app for: fred\nbuild of app\nBuilding source image: base for: app\nbuild of base\n{of_boot}build of base\nbuild of app\n"
    );
    assert_eq!(log, expected);
    let snapshot = builder.snapshot();
    let why = |stream: &str| snapshot.results[stream].result.why.clone();
    assert_eq!(
        why("boot"),
        Why::SourceFor {
            stream: "base".to_owned()
        }
    );
    assert_eq!(
        why("base"),
        Why::SourceFor {
            stream: "app".to_owned()
        }
    );
    // What was done for sources is within the phase in which they were built.
    let phases = &snapshot.results["app"].result.phases;
    let building = phases
        .iter()
        .find(|time| time.phase == Phase::BuildSource && time.stream == "app")
        .unwrap();
    let of_base = phases.iter().filter(|time| time.stream == "base");
    assert!(of_base.clone().count() >= 4);
    assert!(
        of_base
            .clone()
            .all(|time| time.finished_at <= building.finished_at)
    );
    let archive = builder.system.as_ref().unwrap().archive.clone().unwrap();
    eventually("all are stored", || archive.listing().builds.len() == 3).await;
    let stored = archive.listing().by_stream["boot"][0].name.clone();
    assert_eq!(archive.log(&stored).unwrap().read_from(0), b"build of boot\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_that_need_each_other_or_go_too_deep_or_are_unknown_fail_with_the_reason() {
    let streams: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    let names: Vec<&str> = streams.iter().map(String::as_str).collect();
    let builder = Builder::new(1, &names);
    let failure = async |stream: &str| {
        let ticket = builder.ask(stream, "fred").await.unwrap();
        ticket.ended().await.outcome.clone().unwrap_err()
    };
    builder.engine.next("s0", &[Step::Needs("s1")]);
    builder.engine.next("s1", &[Step::Needs("s0")]);
    assert_eq!(
        failure("s0").await.text,
        "sources need each other: s0 needs s1 needs s0"
    );
    builder.engine.next("s0", &[Step::Needs("nowhere")]);
    assert_eq!(failure("s0").await.text, "unknown stream: nowhere");
    for pair in names.windows(2) {
        let next: &'static str = Box::leak(pair[1].to_owned().into_boxed_str());
        builder.engine.next(pair[0], &[Step::Needs(next)]);
    }
    assert!(
        failure("s0")
            .await
            .text
            .starts_with("more than 16 sources would have to be built first: s0 needs s1")
    );
    // A source that fails ends the build with its own words.
    let builder = Builder::new(1, &["app", "base"]);
    builder.engine.next("app", &[Step::Needs("base")]);
    builder.engine.next("base", &[Step::Fail("exit status 1")]);
    let ticket = builder.ask("app", "fred").await.unwrap();
    assert_eq!(ticket.ended().await.error(), Some("exit status 1"));
    // Without recursion the lack is told, so that the caller can build it.
    builder.engine.next("app", &[Step::Needs("base")]);
    let mut alone = request("app", "fred");
    alone.disable_recursive_build = true;
    let ticket = builder.scheduler().request(alone).await.unwrap();
    let failure = ticket.ended().await.outcome.clone().unwrap_err();
    assert_eq!(failure.text, "no source image: base");
    assert_eq!(failure.needs.unwrap().stream, "base");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_log_is_followed_whole_by_many_and_a_too_long_one_is_cut_with_a_notice() {
    let builder = Builder::new(1, &["a"]);
    let piece: Vec<u8> = (0..1_000_003_u32)
        .map(|number| b'a' + (number % 23) as u8)
        .collect();
    assert!(3 * piece.len() as u64 > LOG_MEMORY_BYTES);
    builder.engine.next(
        "a",
        &[
            Step::Wait,
            Step::Say(piece.clone()),
            Step::Say(piece.clone()),
            Step::Say(piece.clone()),
        ],
    );
    let ticket = builder.ask("a", "fred").await.unwrap();
    let follow = |offset: u64, most: usize| {
        let mut follower = ticket.log().follow(offset);
        tokio::spawn(async move {
            let mut all = Vec::new();
            while let Some(piece) = follower.next(most).await {
                assert!(piece.len() <= most);
                all.extend_from_slice(&piece);
            }
            all
        })
    };
    let followers = [follow(0, 1000), follow(0, 1 << 20), follow(500_000, 77_777)];
    builder.engine.go("a");
    let [first, second, third] = followers.map(|follower| async { follower.await.unwrap() });
    let (first, second, third) = tokio::join!(first, second, third);
    let expected = [
        b"Building: a for: fred\nbuild of a\n".as_slice(),
        &piece,
        &piece,
        &piece,
    ]
    .concat();
    assert!(first == expected && second == expected && third == expected[500_000..]);
    // When it is in the archive, it is read from there.
    let archive = builder.system.as_ref().unwrap().archive.clone().unwrap();
    eventually("it is stored", || archive.listing().builds.len() == 1).await;
    assert!(ticket.log().read_from(0) == expected);

    let count = LOG_BYTES as usize / piece.len() + 2;
    let steps: Vec<Step> = (0..count).map(|_| Step::Say(piece.clone())).collect();
    builder.engine.next("a", &steps);
    let ticket = builder.ask("a", "fred").await.unwrap();
    ticket.ended().await.outcome.clone().unwrap();
    let end = ticket.log().read_from(LOG_BYTES - 10);
    assert!(end.ends_with(b"\n[the log is longer than 64 MiB: the rest is left out]\n"));
    assert!(end.len() < 100);
}
