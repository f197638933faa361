//! Keeping the daemons running.

use super::daemon::Daemon;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::process::Child;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Pause before a daemon that died is started again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// One that ran so long died of something new: the pause begins anew.
const LONG_ENOUGH: Duration = Duration::from_secs(300);

/// A daemon and its process.
struct Running {
    daemon: Daemon,
    child: Child,
    started: Instant,
    pause: Duration,
}

/// Starts them in order, tells about it, and stays until told to stop. One that cannot start at first ends everything.
pub(super) fn run(daemons: Vec<Daemon>, tell: impl FnOnce()) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut signals = Signals::catch()?;
        let mut running = Vec::new();
        let started = tokio::select! {
            started = start(daemons, &mut running) => started,
            () = signals.wait() => Err(anyhow::anyhow!("interrupted while starting")),
        };
        if let Err(error) = started {
            stop(running).await?;
            return Err(error);
        }
        tell();
        tokio::select! {
            result = keep(&mut running) => result?,
            () = signals.wait() => {}
        }
        println!("stopping");
        stop(running).await?;
        Ok(ExitCode::SUCCESS)
    })
}

async fn start(daemons: Vec<Daemon>, running: &mut Vec<Running>) -> anyhow::Result<()> {
    for daemon in daemons {
        let child = daemon.start()?;
        running.push(Running {
            daemon,
            child,
            started: Instant::now(),
            pause: FIRST_PAUSE,
        });
        if let Some(last) = running.last_mut() {
            last.daemon.answers(&mut last.child).await?;
        }
    }
    Ok(())
}

/// Starts again what dies. Returns only with an error.
async fn keep(running: &mut [Running]) -> anyhow::Result<()> {
    let each = running.iter_mut().map(|running| Box::pin(running.keep()));
    futures_util::future::select_all(each).await.0
}

/// In the opposite order, so that nobody misses what it needs.
async fn stop(mut running: Vec<Running>) -> anyhow::Result<()> {
    let mut result = Ok(());
    while let Some(mut last) = running.pop() {
        result = last.daemon.stop(&mut last.child).await.and(result);
    }
    result
}

impl Running {
    async fn keep(&mut self) -> anyhow::Result<()> {
        loop {
            let status = self.child.wait().await?;
            if self.started.elapsed() > LONG_ENOUGH {
                self.pause = FIRST_PAUSE;
            }
            eprintln!(
                "{} ended ({status}); see {}; it is started again in {} s",
                self.daemon.name,
                self.daemon.log().display(),
                self.pause.as_secs()
            );
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            self.started = Instant::now();
            self.child = self.daemon.start()?;
        }
    }
}

/// What asks to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
