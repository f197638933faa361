//! The publisher's life: it comes back after a panic.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on should say where.

use actors::{ActorState, Publishing, RepositoryConfig, Workroom, start_publisher, start_repository};
use repository::configuration::Configuration;
use serde_json::json;
use srpc::ConnectOptions;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Nobody listens there.
const NOWHERE: &str = "127.0.0.1:1";

#[tokio::test]
async fn a_publisher_that_panics_is_started_again_and_follows_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = json!({
        "authType": "none",
        "baseDir": directory.path().to_str().unwrap(),
        "imageServer": NOWHERE,
        "publish": [{"stream": "**"}],
    });
    let configuration = Configuration::of(file.as_object().cloned().unwrap()).unwrap();
    let config = RepositoryConfig::new(directory.path().to_owned(), configuration.settings().clone());
    let settings = config.settings.clone();
    let system = start_repository(config).unwrap();
    let room = Workroom::new(system.repository.clone(), settings);
    let connect = Arc::new(|| ConnectOptions::new(NOWHERE));
    let mut publishing = Publishing::new(room, system.jobs.clone(), NOWHERE, connect);
    publishing.allow_debug_panic = true;
    let publishers = start_publisher(publishing).unwrap();
    let publisher = publishers.publisher();
    assert!(publisher.debug_panic().await.is_err());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let health = publisher.health();
        // The link of the new incarnation has tried, too.
        if health.restarts == 1
            && health.state == ActorState::Running
            && publisher.status().last_error.is_some()
        {
            break;
        }
        assert!(Instant::now() < deadline, "{health:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::task::spawn_blocking(move || {
        publishers.stop();
        system.stop();
    })
    .await
    .unwrap();
}
