//! Sources that several builds need at the same time.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod scripted;

use actors::stream_scheduler::Ticket;
use scripted::engine::Step;
use scripted::{Builder, eventually};

/// Two builds that need the same source: the first builds it, which does `steps`, the second waits for that.
async fn waiting_for_the_same(steps: &[Step]) -> (Builder, Ticket, Ticket) {
    let builder = Builder::new(2, &["first", "second", "source"]);
    builder.engine.next("first", &[Step::Needs("source")]);
    builder.engine.next("second", &[Step::Needs("source")]);
    builder.engine.next("source", steps);
    let first = builder.ask("first", "fred").await.unwrap();
    builder.begun(2).await;
    let second = builder.ask("second", "fred").await.unwrap();
    eventually("the second waits", || {
        let log = second.log().read_from(0);
        String::from_utf8(log)
            .unwrap()
            .contains("Waiting for source image: source, which another build is building\n")
    })
    .await;
    (builder, first, second)
}

fn times(builder: &Builder, stream: &str) -> usize {
    let begun = builder.engine.begun_streams();
    begun.iter().filter(|name| *name == stream).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_two_builds_need_is_built_once_and_shown_while_it_is_built() {
    let (builder, first, second) = waiting_for_the_same(&[Step::Wait]).await;
    let snapshot = builder.snapshot();
    assert_eq!(snapshot.building_source("source").unwrap().number, first.number());
    let sources = |ticket: &Ticket| {
        let sources = ticket.build().sources().into_iter();
        sources.map(|(at, _)| (at.stream, at.phase)).collect::<Vec<_>>()
    };
    assert_eq!(sources(&first), [("source".to_owned(), builder::Phase::Scripts)]);
    assert_eq!(sources(&second), [], "who waits builds none");
    builder.engine.go("source");
    first.ended().await.outcome.clone().unwrap();
    second.ended().await.outcome.clone().unwrap();
    assert_eq!(times(&builder, "source"), 1);
    assert_eq!((times(&builder, "first"), times(&builder, "second")), (2, 2));
    assert!(builder.snapshot().building_source("source").is_none());
    assert_eq!(sources(&first), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_anothers_source_can_be_cancelled() {
    let (builder, first, second) = waiting_for_the_same(&[Step::Wait]).await;
    builder
        .scheduler()
        .cancel(second.number(), "wilma")
        .await
        .unwrap();
    let failure = second.ended().await.outcome.clone().unwrap_err();
    assert!(failure.is_cancelled);
    assert_eq!(failure.text, "cancelled by wilma");
    builder.engine.go("source");
    first.ended().await.outcome.clone().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_failed_for_another_is_tried_by_who_waited_for_it() {
    for step in [Step::Fail("no mirror"), Step::Panic] {
        let (builder, first, second) = waiting_for_the_same(&[Step::Wait, step]).await;
        builder.engine.next("second", &[Step::Needs("source")]);
        builder.engine.go("source");
        assert!(first.ended().await.outcome.is_err());
        second.ended().await.outcome.clone().unwrap();
        assert_eq!(times(&builder, "source"), 2);
    }
}
