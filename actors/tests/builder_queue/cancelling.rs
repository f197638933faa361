//! What ends a build, or takes it out of the queue.

use super::*;

/// The cycle waits for a build that somebody asked for who has gone; automatic builds are disabled.
async fn asked_gone_and_disabled(is_asked_first: bool, cancel_on_disconnect: bool) -> Builder {
    let builder = Builder::with(current(&[], &["a", "b"], &["b"]), |scheduling| {
        scheduling.places = 1;
        scheduling.rebuild_interval = HOUR;
        scheduling.first_cycle_pause = HOUR;
        scheduling.cancel_on_disconnect = cancel_on_disconnect;
    });
    builder.engine.next("a", &[Step::Wait]);
    let holds_the_place = builder.ask("a", "fred").await.unwrap();
    builder.begun(1).await;
    let early = if is_asked_first {
        Some(builder.ask("b", "barney").await.unwrap())
    } else {
        None
    };
    builder.clock.pass(HOUR);
    eventually("the cycle waits for it", || {
        let cycle = builder.snapshot().auto.cycle.clone();
        cycle.is_some_and(|cycle| matches!(cycle.streams.get("b"), Some(CycleState::Building { .. })))
    })
    .await;
    let late = builder.ask("b", "barney").await.unwrap();
    assert!(late.has_joined());
    let build = late.build().clone();
    drop((early, late));
    builder
        .scheduler()
        .disable_auto_builds("wilma", HOUR)
        .await
        .unwrap();
    builder.engine.go("a");
    holds_the_place.ended().await;
    let outcome = build.ended().await.outcome.clone();
    assert_eq!(outcome.is_err(), cancel_on_disconnect, "{outcome:?}");
    builder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disabling_automatic_builds_ends_no_build_that_somebody_asked_for_who_went_away() {
    for is_asked_first in [true, false] {
        let builder = asked_gone_and_disabled(is_asked_first, false).await;
        assert_eq!(builder.engine.begun_streams(), ["a", "b"]);
    }
    // Where builds end with the last who waits, nobody but the cycle wants it.
    let builder = asked_gone_and_disabled(false, true).await;
    assert_eq!(builder.engine.begun_streams(), ["a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_and_what_runs_can_be_cancelled() {
    let builder = Builder::new(1, &["a", "b", "c"]);
    builder.engine.next("a", &[Step::Wait]);
    let running = builder.ask("a", "fred").await.unwrap();
    builder.begun(1).await;
    let waiting = builder.ask("b", "fred").await.unwrap();
    builder
        .scheduler()
        .cancel(waiting.number(), "wilma")
        .await
        .unwrap();
    let failure = waiting.ended().await.outcome.clone().unwrap_err();
    assert!(failure.is_cancelled);
    assert_eq!(failure.text, "cancelled by wilma");
    builder
        .scheduler()
        .cancel(running.number(), "wilma")
        .await
        .unwrap();
    let failure = running.ended().await.outcome.clone().unwrap_err();
    assert!(failure.is_cancelled);
    assert_eq!(failure.text, "cancelled by wilma");
    let again = builder
        .scheduler()
        .cancel(running.number(), "wilma")
        .await
        .unwrap_err();
    assert_eq!(
        again.to_string(),
        format!("no build {} is waiting or running", running.number())
    );
    // The place is free.
    builder
        .ask("c", "fred")
        .await
        .unwrap()
        .ended()
        .await
        .outcome
        .clone()
        .unwrap();
    assert_eq!(builder.engine.begun_streams(), ["a", "c"]);
    assert_eq!(builder.snapshot().counts.cancelled, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_nobody_waits_for_ends_if_that_is_wanted_and_goes_on_if_not() {
    let names = ["a", "b"];
    let builder = Builder::with(current(&[], &names, &[]), |scheduling| {
        scheduling.places = 2;
        scheduling.cancel_on_disconnect = true;
    });
    builder.engine.next("a", &[Step::Wait]);
    builder.engine.next("b", &[Step::Wait]);
    let left = builder.ask("a", "fred").await.unwrap();
    let (one, other) = (
        builder.scheduler().request(of_commit("b", "fred")).await.unwrap(),
        builder
            .scheduler()
            .request(of_commit("b", "barney"))
            .await
            .unwrap(),
    );
    builder.begun(2).await;
    let build = left.build().clone();
    drop(left);
    assert!(build.ended().await.outcome.clone().unwrap_err().is_cancelled);
    drop(one);
    assert!(matches!(other.build().state(), BuildState::Running { .. }));
    assert_eq!(other.build().cancelled_because(), None);
    builder.engine.go("b");
    other.ended().await.outcome.clone().unwrap();
    // Without the setting, by who asks for it: not while others want it who did not ask for that.
    let asks = |who: &str, cancel_on_disconnect| BuildRequest {
        cancel_on_disconnect,
        ..of_commit("a", who)
    };
    let builder = Builder::new(1, &["a"]);
    for (is_joined, is_ended) in [(false, true), (true, false)] {
        builder.engine.next("a", &[Step::Wait]);
        let left = builder.scheduler().request(asks("fred", true)).await.unwrap();
        if is_joined {
            drop(builder.scheduler().request(asks("barney", false)).await.unwrap());
        }
        let build = left.build().clone();
        drop(left);
        if !is_ended {
            builder.engine.go("a");
        }
        assert_eq!(build.ended().await.outcome.is_err(), is_ended);
    }
    // And by nobody:
    let builder = Builder::new(1, &["a"]);
    builder.engine.next("a", &[Step::Wait]);
    let left = builder.ask("a", "fred").await.unwrap();
    let build = left.build().clone();
    drop(left);
    builder.engine.go("a");
    build.ended().await.outcome.clone().unwrap();
}
