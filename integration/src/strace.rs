//! Faults between a running server and its kernel, by `strace`: system calls that fail, wait, or kill who makes them.
//!
//! `strace` counts the calls of each thread by itself: "the second `fsync`" is the second one of one thread.

use crate::server::ImageServer;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where nothing happened for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(60);

/// An `strace` that holds on to a server. Dropping it lets the server go on undisturbed.
pub struct Strace {
    child: Child,
    output: PathBuf,
}

/// Why servers cannot be traced here, if they cannot.
pub fn obstacle() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("needs root, to trace a server of another user");
    }
    let version = Command::new("strace").arg("-V").output();
    if !version.is_ok_and(|output| output.status.success()) {
        return Some("needs strace");
    }
    None
}

impl Strace {
    /// Attaches to all threads of the server, and returns once it has. What it writes goes to `output`.
    pub fn attach(server: &ImageServer, output: &Path, arguments: &[&str]) -> Result<Self> {
        let server_id = server.process_id();
        let errors = std::fs::File::create(output.with_extension("errors"))?;
        let child = Command::new("strace")
            .args(["-f", "-p", &server_id.to_string(), "-o"])
            .arg(output)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .context("cannot start strace")?;
        let mut strace = Self {
            child,
            output: output.to_owned(),
        };
        let deadline = Instant::now() + PATIENCE;
        while !is_traced(server_id)? {
            if strace.child.try_wait()?.is_some() || Instant::now() > deadline {
                let said = std::fs::read_to_string(output.with_extension("errors"))?;
                bail!("strace does not attach: {said}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(strace)
    }

    /// What it has written so far.
    pub fn text(&self) -> String {
        let bytes = std::fs::read(&self.output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it has written `text`. False if the traced process ended instead.
    pub fn writes(&mut self, text: &str) -> Result<bool> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let over = self.child.try_wait()?.is_some();
            if self.text().contains(text) {
                return Ok(true);
            }
            if over {
                return Ok(false);
            }
            ensure!(
                Instant::now() < deadline,
                "no {text} in the trace: {}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Lets go of the server; the faults are over. Gives what was written.
    pub fn detach(mut self) -> Result<String> {
        self.release()?;
        Ok(self.text())
    }

    /// Kills the server and then this, which may be waiting for a call that will never return: as long as it does, the
    /// kernel keeps the dead process and its connections.
    pub fn kill_with(&mut self, server: &ImageServer) -> Result<()> {
        server.kill_now()?;
        if self.child.try_wait()?.is_none() {
            self.child.kill()?;
            self.child.wait()?;
        }
        Ok(())
    }

    fn release(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let id = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .context("no process id")?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.child.kill()?;
                self.child.wait()?;
                bail!("strace does not let go");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = self.release();
    }
}

/// Whether every thread has a tracer.
fn is_traced(process_id: u32) -> Result<bool> {
    for task in std::fs::read_dir(format!("/proc/{process_id}/task"))? {
        let Ok(status) = std::fs::read_to_string(task?.path().join("status")) else {
            // It ended meanwhile.
            continue;
        };
        if status.lines().any(|line| line == "TracerPid:\t0") {
            return Ok(false);
        }
    }
    Ok(true)
}
