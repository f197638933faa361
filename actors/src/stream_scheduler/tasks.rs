//! What the scheduler does beside answering: tasks that live as long as the actor.

use super::shared::Shared;
use crate::task::AbortOnDrop;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// First pause after a panic of a task.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Runs something that never ends. A panic in it is a defect over some stream or repository: it costs a pause, not the actor's
/// restarts, which would end the daemon.
pub(super) fn keep_running<F>(
    shared: &Arc<Shared>,
    name: &'static str,
    run: impl Fn(Arc<Shared>) -> F + Send + Sync + 'static,
) -> AbortOnDrop<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let shared = shared.clone();
    AbortOnDrop::spawn(async move {
        let mut pause = FIRST_PAUSE;
        loop {
            if let Err(panic) = AbortOnDrop::spawn(run(shared.clone())).await {
                tracing::error!(
                    "{name}: internal error: {panic}; going on in {} s",
                    pause.as_secs()
                );
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    })
}
