//! Signals: SIGTERM and SIGINT stop, SIGHUP has everything read again that can be while it runs (imgapi-operations.md §6, §11).

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To stop; the name of the signal.
    Stop(&'static str),
    /// To read configuration, keys and certificate again.
    Reload,
}

/// The signals, caught from the moment this is made.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Catches them from now on. Needs a tokio runtime.
    ///
    /// # Errors
    /// The operating system refuses.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Asked::Stop("SIGINT"),
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }

    /// From now on a further one that stops ends the process at once with status 1, for whoever cannot wait.
    pub(crate) fn end_at_next_stop(mut self) {
        tokio::spawn(async move {
            loop {
                if let Asked::Stop(name) = self.next().await {
                    eprintln!("second signal ({name}): ending at once");
                    std::process::exit(1);
                }
            }
        });
    }
}
