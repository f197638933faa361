//! Directories on the image server for all streams that have a name (`imaginator.md §18`), after each load of the streams.

use super::shared::Shared;
use std::sync::Arc;
use std::time::Duration;

/// Without a load within this time those of the bootstrap streams are made.
const STREAMS_WAIT: Duration = Duration::from_secs(5);

/// First pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Runs until it is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut changes = shared.config.current.changes();
    // Bootstrap streams are known at once; nothing better comes if this times out.
    let _ = shared.wait_for_streams(STREAMS_WAIT).await;
    loop {
        changes.mark_unchanged();
        shared.take_names();
        let news = async {
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let make = async {
            make(&shared).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = news => {}
            () = make => {}
        }
    }
}

/// Tries until it succeeds: builds make what they need by themselves, so nobody waits for this.
async fn make(shared: &Shared) {
    let snapshot = shared.snapshot();
    let bootstrap = snapshot.bootstrap_streams.iter();
    let names: Vec<String> = bootstrap.chain(snapshot.user_streams.iter()).cloned().collect();
    if names.is_empty() {
        return;
    }
    let mut pause = FIRST_PAUSE;
    loop {
        match shared.server.make_directories(&names).await {
            Ok(0) => return,
            Ok(made) => {
                tracing::info!("Directories of image streams: {made} made");
                return;
            }
            Err(error) => tracing::warn!(
                "Directories of image streams: {error}; trying again in {} s",
                pause.as_secs()
            ),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
