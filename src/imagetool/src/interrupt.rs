//! Ctrl-C and SIGTERM: finish cleanly, then leave.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tree_io::Cancel;

/// As shells show a program that ended by SIGINT.
pub(crate) const EXIT_CODE: u8 = 130;

/// Cleaning up after an interrupt may take this long; removing a tree of a million files takes less.
const CLEAN_UP_TIME: Duration = Duration::from_secs(30);

/// With nothing to clean up the work has ended by then, or hangs on a peer.
const GRACE_TIME: Duration = Duration::from_millis(500);

/// Turns the first signal into a cancellation. The second one, or a clean-up that takes too long, ends the process.
pub(crate) fn watch(cancel: Cancel) {
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        next().await;
        cancel.cancel();
        let patience = if is_cleaning_up() {
            CLEAN_UP_TIME
        } else {
            GRACE_TIME
        };
        tokio::select! {
            () = next() => {}
            () = tokio::time::sleep(patience) => {}
        }
        std::process::exit(EXIT_CODE.into());
    });
}

static CLEANING_UP: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

fn is_cleaning_up() -> bool {
    CLEANING_UP.load(std::sync::atomic::Ordering::SeqCst) > 0
}

/// While this exists there is something that must not be left half done.
pub(crate) struct Unfinished(());

impl Unfinished {
    pub(crate) fn begin() -> Unfinished {
        CLEANING_UP.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Unfinished(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        CLEANING_UP.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
    }
}
