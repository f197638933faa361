//! An image server of its own for a test: real process, unprivileged user, temporary directories, a free port.

use crate::programs::program;
use anyhow::{Context, Result, bail, ensure};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it answers `/healthz`.
const START_SECONDS: u64 = 60;
/// How long it may take to drain after SIGTERM before it is killed.
const STOP_SECONDS: u64 = 20;
/// How long a log line may take to be written.
const LOG_SECONDS: u64 = 5;
/// The user and group `nobody`/`nogroup` of Debian: the server refuses to run as root.
const UNPRIVILEGED: u32 = 65534;

/// Directories and flags of a server that may be started more than once.
pub struct Home {
    directory: tempfile::TempDir,
    /// Open files of its servers at most, where that is not what the test itself may have.
    open_files: Option<u64>,
    /// The server's program, if not ours.
    foreign: Option<PathBuf>,
}

/// What makes a server take anybody's calls, without certificates.
pub const INSECURE: &[&str] = &[
    "-permitInsecureMode",
    "-generateMissingWebcert",
    "-CAfile=",
    "-identityCAfile=",
    "-certFile=",
    "-keyFile=",
];

/// An answer to a web request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Status line and headers, in lower case.
    pub head: String,
    pub body: String,
}

/// A running server; dropping it kills it.
pub struct ImageServer {
    child: Option<Child>,
    pub port: u16,
    pub images: PathBuf,
    pub objects: PathBuf,
    pub log: PathBuf,
}

impl Home {
    pub fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("imagewright-test.").tempdir()?;
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
        for name in ["images", "objects"] {
            std::fs::create_dir(directory.path().join(name))?;
        }
        Ok(Self {
            directory,
            open_files: None,
            foreign: None,
        })
    }

    /// One whose servers may open so many files and no more.
    pub fn with_open_files(limit: u64) -> Result<Self> {
        Ok(Self {
            open_files: Some(limit),
            ..Self::new()?
        })
    }

    /// For another implementation's server.
    pub fn of_program(program: &Path) -> Result<Self> {
        let mut home = Self::new()?;
        home.foreign = Some(program.to_owned());
        Ok(home)
    }

    /// Whether the program is another implementation's.
    pub fn is_foreign(&self) -> bool {
        self.foreign.is_some()
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn images(&self) -> PathBuf {
        self.path().join("images")
    }

    pub fn objects(&self) -> PathBuf {
        self.path().join("objects")
    }

    /// Where an object lies, or would.
    pub fn object(&self, hash: &hash::Hash) -> PathBuf {
        let hex = hash.to_string();
        self.objects().join(&hex[..2]).join(&hex[2..4]).join(&hex[4..])
    }

    /// Starts a server that takes anybody's calls (no certificates).
    pub fn start_insecure(&self, flags: &[&str]) -> Result<ImageServer> {
        self.start(&[INSECURE, flags].concat())
    }

    /// Starts a server with `flags` beside directories and port, and waits until it is healthy.
    pub fn start(&self, flags: &[&str]) -> Result<ImageServer> {
        self.start_in(&[], flags)
    }

    /// The same with `environment`, pairs of name and value, beside that of the test.
    pub fn start_in(&self, environment: &[(&str, &str)], flags: &[&str]) -> Result<ImageServer> {
        self.start_on(free_port()?, environment, flags)
    }

    /// The same on a port that others were told of.
    pub fn start_on(&self, port: u16, environment: &[(&str, &str)], flags: &[&str]) -> Result<ImageServer> {
        self.hand_over()?;
        let log = self.path().join("server.log");
        let output = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let child = self
            .command(port)?
            .args(flags)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("cannot start the image server")?;
        let mut server = ImageServer {
            child: Some(child),
            port,
            images: self.images(),
            objects: self.objects(),
            log,
        };
        server.wait_until_healthy()?;
        Ok(server)
    }

    /// Starts a server and kills it after that time, however far it has come.
    pub fn start_and_kill(&self, flags: &[&str], after: Duration) -> Result<()> {
        self.hand_over()?;
        let mut command = self.command(free_port()?)?;
        command
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn()?;
        std::thread::sleep(after);
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Runs the server with `flags` where it is expected to end by itself, and gives what it said.
    pub fn run_to_its_end(&self, flags: &[&str]) -> Result<Output> {
        self.hand_over()?;
        let mut command = self.command(free_port()?)?;
        command.args(flags).stdin(Stdio::null());
        Ok(command.output()?)
    }

    /// The server as the unprivileged user, with its directories and port, logging to standard error.
    fn command(&self, port: u16) -> Result<Command> {
        let binary = match &self.foreign {
            Some(binary) => binary.clone(),
            None => program("imageserver")?,
        };
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = match self.open_files {
                Some(limit) => {
                    let mut command = Command::new("prlimit");
                    command.arg(format!("--nofile={limit}:{limit}")).arg("setpriv");
                    command
                }
                None => Command::new("setpriv"),
            };
            command
                .arg(format!("--reuid={UNPRIVILEGED}"))
                .arg(format!("--regid={UNPRIVILEGED}"));
            command
                .arg("--clear-groups")
                .arg(reachable_copy(&binary, self.path())?);
            command
        } else {
            Command::new(binary)
        };
        command
            .arg(format!("-portNum={port}"))
            .arg(format!("-imageDir={}", self.images().display()))
            .arg(format!("-objectDir={}", self.objects().display()))
            .args(["-logDir=", "-alsoLogToStderr", "-srpcTrustVmOwners=false"]);
        Ok(command)
    }

    /// All below the directories belongs to the unprivileged user from now on.
    fn hand_over(&self) -> Result<()> {
        if !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let owner = format!("{UNPRIVILEGED}:{UNPRIVILEGED}");
        let status = Command::new("chown")
            .arg("-R")
            .arg(owner)
            .arg(self.path())
            .status()?;
        ensure!(status.success(), "chown failed");
        Ok(())
    }
}

impl ImageServer {
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub fn process_id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether the log holds `text` at least `times` times; lines are written behind the calls they tell of.
    pub fn logs(&self, text: &str, times: usize) -> bool {
        let deadline = Instant::now() + Duration::from_secs(LOG_SECONDS);
        while self.log_text().matches(text).count() < times {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// Status and body of a page.
    pub fn page(&self, path: &str) -> Result<(u16, String)> {
        self.page_as(path, "*/*")
    }

    /// How the server says it is, on each of its pages: `healthy`, or another word and the cause.
    pub fn condition(&self) -> Result<String> {
        let (_, text) = self.page_as("/", "text/html")?;
        let start = text
            .find("<p class=\"light")
            .context("no condition on the page")?;
        let light = text[start..].split('"').nth(3).context("no title of the light")?;
        Ok(light.to_owned())
    }

    /// The same for a client that accepts `accept`.
    pub fn page_as(&self, path: &str, accept: &str) -> Result<(u16, String)> {
        let answer = self.request("GET", path, accept)?;
        Ok((answer.status, answer.body))
    }

    /// One web request on a connection of its own.
    pub fn request(&self, method: &str, path: &str, accept: &str) -> Result<Answer> {
        let mut stream = TcpStream::connect(self.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(START_SECONDS)))?;
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nAccept: {accept}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").context("no end of headers")?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok(Answer {
            status,
            head: head.to_lowercase(),
            body: body.to_owned(),
        })
    }

    /// Peak resident memory in bytes.
    pub fn peak_memory_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process_id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .context("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
    }

    /// Asks the server to drain, and says with which code it ended.
    pub fn stop(mut self) -> Result<Option<i32>> {
        self.end()
    }

    /// The same where the place of the server is to be taken by another.
    pub fn end(&mut self) -> Result<Option<i32>> {
        let Some(mut child) = self.child.take() else {
            bail!("it is not running")
        };
        signal(&child, rustix::process::Signal::TERM)?;
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS);
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait()? {
                return Ok(status.code());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill()?;
        child.wait()?;
        bail!("the server did not stop within {STOP_SECONDS} s of SIGTERM");
    }

    /// Ends it without warning, as a power cut would end the process.
    pub fn kill(mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// The signal alone, while others still use the server; [`kill`](Self::kill) waits for its end.
    pub fn kill_now(&self) -> Result<()> {
        self.child
            .as_ref()
            .map_or(Ok(()), |child| signal(child, rustix::process::Signal::KILL))
    }

    /// Whether the process has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool> {
        match &mut self.child {
            Some(child) => Ok(child.try_wait()?.is_some()),
            None => Ok(true),
        }
    }

    fn wait_until_healthy(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS);
        while Instant::now() < deadline {
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("the server ended at once ({status}):\n{}", self.log_text());
            }
            if self.page("/healthz").is_ok_and(|(status, _)| status == 200) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!(
            "the server is not healthy after {START_SECONDS} s:\n{}",
            self.log_text()
        )
    }
}

impl Drop for ImageServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn signal(child: &Child, signal: rustix::process::Signal) -> Result<()> {
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .context("no process id")?;
    Ok(rustix::process::kill_process(pid, signal)?)
}

/// A port nobody listens on at this moment.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The program itself may lie below a home directory that the unprivileged user cannot enter.
fn reachable_copy(binary: &Path, directory: &Path) -> Result<PathBuf> {
    let copy = directory.join("imageserver");
    if !copy.exists() && std::fs::hard_link(binary, &copy).is_err() {
        std::fs::copy(binary, &copy)?;
    }
    Ok(copy)
}
