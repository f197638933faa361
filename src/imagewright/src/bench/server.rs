//! A daemon of either side, from its start to its end: an image server, or what runs beside one.

use super::credentials::Credentials;
use super::scratch::{Home, Scratch};
use super::side::Programs;
use super::{http, interrupt, process};
use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it answers: 10,000 images are minutes where each is decoded.
const START_LIMIT: Duration = Duration::from_secs(900);
/// How long it may take to end after SIGTERM before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// Between two looks whether it answers; the error of a start-up time.
const POLL_PERIOD: Duration = Duration::from_millis(2);
/// Lines of its log that an error shows.
const LOG_LINES: usize = 20;

/// A running server; dropping it kills it.
pub(crate) struct Server {
    child: Option<Child>,
    process: Pid,
    pub(crate) port: u16,
    started: Instant,
    log: PathBuf,
}

impl Server {
    /// Starts one and waits until it answers requests for pages.
    pub(crate) fn start(
        programs: &Programs,
        home: &Home,
        credentials: &Credentials,
        scratch: &Scratch,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = command(programs, home, credentials, port)?;
        if let Some((user, group)) = scratch.owner() {
            command.uid(user).gid(group);
        }
        Self::start_command(command, port, &home.log, scratch)
    }

    /// Starts a daemon that will answer requests for pages on `port`, and writes to `log`; waits until it does.
    pub(crate) fn start_command(
        mut command: Command,
        port: u16,
        log: &Path,
        scratch: &Scratch,
    ) -> anyhow::Result<Self> {
        let output = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        command
            .env("HOME", scratch.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        // A group of its own: Ctrl-C in the terminal is for us to pass on.
        command.process_group(0);
        let started = Instant::now();
        let child = interrupt::start(&mut command)
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let process = interrupt::process_of(&child).context("no process id")?;
        let mut server = Self {
            child: Some(child),
            process,
            port,
            started,
            log: log.to_owned(),
        };
        server.wait_until(|port| Ok(http::answers(port, "/healthz")))?;
        Ok(server)
    }

    /// Waits until `is_so` of its port; an error with the log if it ends before.
    pub(crate) fn wait_until(
        &mut self,
        mut is_so: impl FnMut(u16) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        while self.started.elapsed() < START_LIMIT {
            if is_so(self.port)? {
                return Ok(());
            }
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                interrupt::forget(self.process);
                self.child = None;
                bail!("the server ended ({status}); its log:\n{}", tail(&self.log));
            }
            std::thread::sleep(POLL_PERIOD);
        }
        bail!(
            "the server does not serve after {} s; its log:\n{}",
            START_LIMIT.as_secs(),
            tail(&self.log)
        )
    }

    /// Since it was started.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Its number.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.as_raw_nonzero().get().unsigned_abs()
    }

    /// User and system time so far.
    pub(crate) fn cpu_time(&self) -> anyhow::Result<Duration> {
        let time = process::cpu_time(self.process.as_raw_nonzero().get().unsigned_abs());
        time.with_context(|| format!("the server is gone; its log:\n{}", tail(&self.log)))
    }

    /// Most resident memory so far, bytes.
    pub(crate) fn peak_bytes(&self) -> anyhow::Result<u64> {
        let peak = process::peak_bytes(self.process.as_raw_nonzero().get().unsigned_abs());
        peak.with_context(|| format!("the server is gone; its log:\n{}", tail(&self.log)))
    }

    /// Resident memory at this moment, bytes.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        let resident = process::resident_bytes(self.process.as_raw_nonzero().get().unsigned_abs());
        resident.with_context(|| format!("the server is gone; its log:\n{}", tail(&self.log)))
    }

    /// The end of its log, for errors of those who talked to it.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// Ends it as a service manager would.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let Some(child) = self.child.as_mut() else {
            return Ok(());
        };
        kill_process(self.process, Signal::TERM)?;
        let deadline = Instant::now() + STOP_LIMIT;
        // Not reaped before it is off the list: see `interrupt`.
        while Instant::now() < deadline && !has_ended(self.process) {
            std::thread::sleep(POLL_PERIOD);
        }
        interrupt::forget(self.process);
        // No harm if it has ended.
        let _ = child.kill();
        child.wait()?;
        self.child = None;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            interrupt::forget(self.process);
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn has_ended(process: Pid) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(process), options), Ok(None))
}

/// The same flags for every side. Without a Unix socket all clients use TLS over TCP, as those on other machines do.
fn command(
    programs: &Programs,
    home: &Home,
    credentials: &Credentials,
    port: u16,
) -> anyhow::Result<Command> {
    let file = |name: &str| credentials.server.join(name).display().to_string();
    let mut command = Command::new(&programs.server()?.imageserver);
    command
        .arg(format!("-portNum={port}"))
        .arg(format!("-CAfile={}", file("CA.pem")))
        .arg("-identityCAfile=")
        .arg(format!("-certFile={}", file("cert.pem")))
        .arg(format!("-keyFile={}", file("key.pem")))
        .arg(format!("-imageDir={}", home.images.display()))
        .arg(format!("-objectDir={}", home.objects.display()))
        .args(["-logDir=", "-alsoLogToStderr", "-srpcTrustVmOwners=false"])
        .arg("-srpcUnixSocketPath=")
        // Collecting on a file system that is nearly full would be measured with the rest.
        .args([
            "-objectServerCleanupStartPercent=99",
            "-objectServerCleanupStopPercent=98",
        ]);
    Ok(command)
}

/// A port nobody listens on at this moment.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
