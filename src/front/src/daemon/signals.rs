//! Signals that end the daemon.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What told the daemon to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// `SIGTERM`.
    Terminate,
    /// `SIGINT`.
    Interrupt,
    /// `SIGHUP`: the original dies of it, and its unit's reload relies on being started again (`imageserver.md §8`).
    HangUp,
}

impl StopSignal {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            StopSignal::Terminate => "SIGTERM",
            StopSignal::Interrupt => "SIGINT",
            StopSignal::HangUp => "SIGHUP",
        }
    }
}

/// The signals that end the daemon, caught from the moment this is made. Make it before the daemon says it is ready:
/// till then a signal ends the process at once, as it does the original.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl StopSignals {
    /// Catches them from now on. Needs a tokio runtime.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one. From then on a second one ends the process at once with status 1, for whoever cannot wait.
    pub async fn wait(mut self) -> StopSignal {
        let first = self.next().await;
        tokio::spawn(async move {
            let second = self.next().await;
            eprintln!("second signal ({}): ending at once", second.name());
            std::process::exit(1);
        });
        first
    }

    async fn next(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.terminate.recv() => StopSignal::Terminate,
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.hang_up.recv() => StopSignal::HangUp,
        }
    }
}
