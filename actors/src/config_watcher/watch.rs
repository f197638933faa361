//! Looking again and again.

use super::kind::Kind;
use super::look::Look;
use super::settings::{QUIET, RETRY_FIRST, RETRY_LAST};
use super::shared::Shared;
use std::sync::Arc;
use std::time::Duration;

/// Waits for quiet at most so often: a directory in which something always happens is looked at all the same.
const QUIET_WAITS: usize = 10;

/// Looks at a text whenever something may have happened to it, for ever.
pub(super) async fn keep_looking(shared: Arc<Shared>, kind: Kind) {
    // What costs others something was looked at by an earlier incarnation.
    let mut is_due = shared.memory(kind).in_force.is_none() || !is_remote(&shared, kind);
    loop {
        if is_due {
            shared.look(kind, Look::Passing).await;
        }
        is_due = true;
        tokio::select! {
            () = shared.wakes.wait(kind) => quiet(&shared, kind).await,
            () = pause(&shared, kind) => {}
        }
    }
}

/// After so long without any image streams, the copy of an earlier run will do.
pub(super) async fn take_copy_in_time(shared: Arc<Shared>) {
    if shared.is_streams_loaded() {
        return;
    }
    actix_rt::time::sleep(shared.settings.first_wait).await;
    if !shared.is_streams_loaded() {
        shared.take_copy().await;
    }
}

fn is_remote(shared: &Shared, kind: Kind) -> bool {
    matches!(shared.source(kind), Ok(Some(source)) if source.is_remote())
}

/// Ends when nothing happened for a while.
async fn quiet(shared: &Shared, kind: Kind) {
    for _ in 0..QUIET_WAITS {
        if tokio::time::timeout(QUIET, shared.wakes.wait(kind))
            .await
            .is_err()
        {
            return;
        }
    }
}

/// Ends when it is time for the next look.
async fn pause(shared: &Shared, kind: Kind) {
    let usual = if is_remote(shared, kind) {
        shared.configuration().image_streams_check_interval
    } else {
        shared.settings.look_interval
    };
    let failures = shared.memory(kind).failures;
    let retry = RETRY_FIRST
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(RETRY_LAST);
    let pause = match (failures, usual) {
        // Once is enough, if it is not to be looked at again.
        (0, Duration::ZERO) => return std::future::pending().await,
        (0, usual) => usual,
        (_, Duration::ZERO) => retry,
        (_, usual) => retry.min(usual),
    };
    actix_rt::time::sleep(pause).await;
}
