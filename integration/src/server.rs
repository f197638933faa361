//! An image server of its own for a test: real process, unprivileged user, temporary directories, a free port.

pub use crate::page_request::Answer;
use crate::page_request::request;
use crate::process::Process;
use crate::programs::program;
use crate::unprivileged;
use anyhow::{Context, Result};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a log line may take to be written.
const LOG_SECONDS: u64 = 5;

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

/// A running server; dropping it kills it.
pub struct ImageServer {
    process: Process,
    pub port: u16,
    pub images: PathBuf,
    pub objects: PathBuf,
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
        let mut command = self.command(port)?;
        command.args(flags).envs(environment.iter().copied());
        let log = self.path().join("server.log");
        let mut process = Process::start("the image server", &mut command, &log)?;
        process
            .wait_until(|| request(port, "GET", "/healthz", &[], "").is_ok_and(|page| page.status == 200))?;
        Ok(ImageServer {
            process,
            port,
            images: self.images(),
            objects: self.objects(),
        })
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
        let mut command = unprivileged::command(&binary, self.path(), self.open_files)?;
        command
            .arg(format!("-portNum={port}"))
            .arg(format!("-imageDir={}", self.images().display()))
            .arg(format!("-objectDir={}", self.objects().display()))
            .args(["-logDir=", "-alsoLogToStderr", "-srpcTrustVmOwners=false"]);
        Ok(command)
    }

    /// All below the directories belongs to the unprivileged user from now on.
    fn hand_over(&self) -> Result<()> {
        unprivileged::hand_over(&[self.path()])
    }
}

impl ImageServer {
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The file with what it said.
    pub fn log(&self) -> &Path {
        self.process.log()
    }

    pub fn log_text(&self) -> String {
        self.process.log_text()
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
        request(self.port, method, path, &[("Accept", accept)], "")
    }

    /// Peak resident memory in bytes.
    pub fn peak_memory_bytes(&self) -> Result<u64> {
        self.process.peak_memory_bytes()
    }

    /// Asks the server to drain, and says with which code it ended.
    pub fn stop(mut self) -> Result<Option<i32>> {
        self.end()
    }

    /// The same where the place of the server is to be taken by another.
    pub fn end(&mut self) -> Result<Option<i32>> {
        self.process.stop()
    }

    /// Ends it without warning, as a power cut would end the process.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()
    }

    /// The signal alone, while others still use the server; [`kill`](Self::kill) waits for its end.
    pub fn kill_now(&self) -> Result<()> {
        self.process.signal(rustix::process::Signal::KILL)
    }

    /// Whether the process has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(!self.process.is_running())
    }
}

/// A port nobody listens on at this moment.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
