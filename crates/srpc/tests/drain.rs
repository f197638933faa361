//! A server that stops lets go of the idle at once and of the busy when they are done.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::io::Read;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use common::services::{self, Text, text};
use common::{PATIENCE, Running, no_socket};
use srpc::Decision;

async fn running_methods(running: &Running, count: u64) {
    while running.server.statistics().running_methods != count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn idle_connections_end_at_once_and_running_calls_may_finish() {
    let go = Arc::new(tokio::sync::Notify::new());
    let running = Running::start(services::waiting_registry(&go), None, no_socket());
    let mut idle = running.raw();
    let (mut busy, mut subscriber) = (
        running.connect(None).await.unwrap(),
        running.connect(None).await.unwrap(),
    );
    let call = tokio::spawn(async move {
        let reply = busy.call::<Text, Text>("Test.Wait", &text("done")).await;
        (reply, busy)
    });
    let mut stream = subscriber.open("Test.Subscribe").await.unwrap();
    stream.read_value::<Text>().await.unwrap();
    running_methods(&running, 2).await;

    let server = Arc::clone(&running.server);
    let draining = tokio::spawn(async move { server.drain(PATIENCE).await });
    tokio::task::spawn_blocking(move || assert_eq!(idle.read(&mut [0]).unwrap(), 0))
        .await
        .unwrap();
    assert_eq!(stream.read_value::<Text>().await.unwrap(), text("draining"));
    assert_eq!(
        running.server.endpoint("CONNECT", "/_goSRPC_/", None),
        Decision::Refuse(503)
    );
    go.notify_one();
    let (reply, mut busy) = call.await.unwrap();
    assert_eq!(reply.unwrap(), text("done"));
    assert!(busy.ping().await.is_err());
    assert_eq!(draining.await.unwrap(), 0);
    assert_eq!(running.server.statistics().open_connections, 0);
    assert!(TcpStream::connect(running.address).is_err());
}

#[tokio::test]
async fn calls_that_do_not_finish_in_time_are_dropped() {
    let go = Arc::new(tokio::sync::Notify::new());
    let running = Running::start(services::waiting_registry(&go), None, no_socket());
    let mut busy = running.connect(None).await.unwrap();
    let call = tokio::spawn(async move { busy.call::<Text, Text>("Test.Wait", &text("never")).await });
    running_methods(&running, 1).await;
    assert_eq!(running.server.drain(Duration::from_millis(10)).await, 1);
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn too_many_connections_are_refused() {
    let policy = srpc::Policy {
        connections_max: 1,
        ..no_socket()
    };
    let running = Running::start(services::registry(), None, policy);
    let first = running.connect(None).await.unwrap();
    let error = running.connect(None).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "unexpected HTTP response: 503 Service Unavailable"
    );
    first.close().await;
    while running.server.statistics().open_connections > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    running.connect(None).await.unwrap();
}
