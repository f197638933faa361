//! `imagetool` of either side, and what a run of it costs.

use super::credentials::Credentials;
use super::scratch::Scratch;
use super::server::Server;
use super::side::Programs;
use super::{interrupt, process};
use anyhow::{Context, anyhow, ensure};
use std::ffi::OsStr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use wait4::Wait4;

/// Between two looks at a running tool's memory; it grows in steps that last longer.
const WATCH_PERIOD: Duration = Duration::from_millis(5);

/// What one command took.
pub(crate) struct Cost {
    pub(crate) time: Duration,
    pub(crate) client_cpu: Duration,
    pub(crate) client_peak_bytes: u64,
    pub(crate) server_cpu: Duration,
}

/// The tool, pointed at a server.
pub(crate) struct Tool<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) credentials: &'a Credentials,
    pub(crate) scratch: &'a Scratch,
    pub(crate) server: &'a Server,
}

impl Tool<'_> {
    /// Runs a command that must succeed; what it prints is dropped.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> anyhow::Result<Cost> {
        let imagetool = &self.programs.server()?.imagetool;
        let mut command = Command::new(imagetool);
        command
            .arg("-imageServerHostname=127.0.0.1")
            .arg(format!("-imageServerPortNum={}", self.server.port))
            .arg(format!("-certDirectory={}", self.credentials.client.display()))
            .args(arguments)
            .env("HOME", self.scratch.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let errors = tempfile::tempfile()?;
        command.stderr(errors.try_clone()?);
        let server_before = self.server.cpu_time()?;
        let start = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", imagetool.display()))?;
        let client_peak_bytes = watch_until_its_end(&child)?;
        let time = start.elapsed();
        let used = child.wait4()?;
        ensure!(
            used.status.success(),
            "imagetool {} of {} ended with {}:\n{}\nthe server's log:\n{}",
            arguments
                .first()
                .map(|word| word.as_ref().to_string_lossy())
                .unwrap_or_default(),
            self.programs.side.name(),
            used.status,
            read_all(errors),
            self.server.log_tail()
        );
        Ok(Cost {
            time,
            client_cpu: used.rusage.utime + used.rusage.stime,
            client_peak_bytes,
            server_cpu: self.server.cpu_time()?.saturating_sub(server_before),
        })
    }
}

/// Waits for the end without taking notice of it, and gives the most memory that was seen, bytes. The kernel's own figure
/// (`ru_maxrss`) is of no use: a child inherits the peak of the process that started it.
fn watch_until_its_end(child: &Child) -> anyhow::Result<u64> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let id = child.id();
    let process = interrupt::process_of(child).context("no process id")?;
    let (ended, is_over) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            let mut peak = 0;
            loop {
                // One that has ended and is not reaped has no memory any more: what was seen before counts.
                peak = process::peak_bytes(id).map_or(peak, |bytes| bytes.max(peak));
                if is_over.recv_timeout(WATCH_PERIOD) != Err(RecvTimeoutError::Timeout) {
                    return peak;
                }
            }
        });
        let waited = waitid(
            WaitId::Pid(process),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        );
        drop(ended);
        let peak = watcher.join().map_err(|_| anyhow!("the watching thread died"))?;
        waited?;
        Ok(peak)
    })
}

fn read_all(mut file: std::fs::File) -> String {
    use std::io::{Read, Seek, SeekFrom};
    let mut bytes = Vec::new();
    let _ = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}
