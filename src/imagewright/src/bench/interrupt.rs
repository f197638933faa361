//! Ctrl-C and SIGTERM: the servers end with us, and the scratch data go.

use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Mutex, PoisonError};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// As shells tell an end by SIGINT.
const INTERRUPTED: i32 = 130;

/// Processes to be ended. A server leaves the list before it is waited for: from then on its number may be another's.
static SERVERS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Starts a server that ends with us. Start and entry are one step: no interruption gets in between.
pub(super) fn start(command: &mut Command) -> std::io::Result<Child> {
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    let child = command.spawn()?;
    servers.extend(process_of(&child));
    Ok(child)
}

/// The number of a child.
pub(super) fn process_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// It is about to be ended by its owner.
pub(super) fn forget(server: Pid) {
    SERVERS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .retain(|pid| *pid != server);
}

/// Watches for the signals as long as `runtime` lives.
pub(super) fn watch(runtime: &Runtime, scratch: PathBuf, keep: bool) -> anyhow::Result<()> {
    let _inside = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    runtime.spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        eprintln!("interrupted: ending the servers, removing {}", scratch.display());
        // Held until the end of the process: no server is started or waited for any more.
        let servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
        for server in servers.iter() {
            let _ = kill_process(*server, Signal::KILL);
        }
        // A tool that still runs may put something in between; it fails soon without its server.
        if !keep && std::fs::remove_dir_all(&scratch).is_err() {
            let _ = std::fs::remove_dir_all(&scratch);
        }
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}
