//! Ctrl-C and SIGTERM: what must not be left half done is put right, then the program ends.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Interrupted;

/// Runs a verb until it ends or a signal comes. What a verb has to put right it does itself, by [`or_else`].
pub(crate) async fn guarded(verb: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        result = verb => result,
        // Gives verbs that listen themselves the first word: they end the verb, and with it this.
        () = last_word() => Err(Interrupted.into()),
    }
}

/// Waits for a signal.
pub(crate) async fn signalled() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the system ends the program.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Number of verbs that put something right themselves.
static LISTENERS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

async fn last_word() {
    signalled().await;
    // Somebody cleans up: a second signal ends it.
    if LISTENERS.load(std::sync::atomic::Ordering::SeqCst) > 0 {
        signalled().await;
    }
}

/// Runs work, and if a signal comes first ends it as [`Interrupted`], for a verb that then cleans up.
pub(crate) async fn or_else<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    LISTENERS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    tokio::select! {
        result = work => {
            LISTENERS.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            result
        }
        // Stays counted: what comes now is the cleaning up.
        () = signalled() => Err(Interrupted.into()),
    }
}
