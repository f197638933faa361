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

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.terminate.recv() => StopSignal::Terminate,
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.hang_up.recv() => StopSignal::HangUp,
        }
    }
}

/// Waits for the signal to stop. From then on a second one ends the process at once with status 1, for whoever cannot wait.
///
/// # Errors
/// The signals cannot be caught.
pub async fn stop_signal() -> io::Result<StopSignal> {
    let mut signals = Signals::new()?;
    let first = signals.next().await;
    tokio::spawn(async move {
        let second = signals.next().await;
        eprintln!("second signal ({}): ending at once", second.name());
        std::process::exit(1);
    });
    Ok(first)
}
