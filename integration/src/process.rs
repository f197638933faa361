//! The process of a daemon: it ends with the test, and what it says is kept.

use crate::wait::PATIENCE;
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A running daemon; dropping it kills it.
pub(crate) struct Process {
    /// None once it was ended.
    child: Option<Child>,
    name: &'static str,
    log: PathBuf,
}

impl Process {
    /// Starts it; what it says goes to the end of the file.
    pub(crate) fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<Self> {
        let output = fs::File::options().create(true).append(true).open(log)?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            child: Some(child),
            name,
            log: log.to_owned(),
        })
    }

    /// Its number; 0 once it was ended.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// The file with what it said.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    pub(crate) fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How it ended, if it has ended by itself.
    pub(crate) fn status(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.as_mut().map(Child::try_wait).transpose()?.flatten())
    }

    /// Whether it is still what was started.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.is_some() && matches!(self.status(), Ok(None))
    }

    /// Peak resident memory in bytes.
    pub(crate) fn peak_memory_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.context("no VmHWM")?.trim().trim_end_matches(" kB").trim();
        Ok(kilobytes.parse::<u64>()? * 1024)
    }

    /// The signal alone.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let process = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        let process = process.with_context(|| format!("{} is not running", self.name))?;
        Ok(rustix::process::kill_process(process, signal)?)
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// It ended, or does not answer for long; with what it said.
    pub(crate) fn wait_until(&mut self, mut answers: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !answers() {
            if let Some(status) = self.status()? {
                bail!("{} ended with {status}:\n{}", self.name, self.log_text());
            }
            ensure!(
                Instant::now() < deadline,
                "{} does not answer:\n{}",
                self.name,
                self.log_text()
            );
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Asks it to stop, and says with which code it ended.
    pub(crate) fn stop(&mut self) -> Result<Option<i32>> {
        self.signal(Signal::TERM)?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.status()? {
                self.child = None;
                return Ok(status.code());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        self.kill()?;
        bail!("{} did not stop within {PATIENCE:?} of SIGTERM", self.name);
    }

    /// Ends it without warning, as a power cut would end the process.
    pub(crate) fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kill();
    }
}
