//! An image repository with a REST API of its own for a test: real daemon, unprivileged user, a directory, a free port.

use crate::http_talk::{Reply, Talk};
use crate::programs::program;
use crate::server::free_port;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long the daemon may take until it answers.
const START_SECONDS: u64 = 60;
/// How long it may take to end after SIGTERM before it is killed.
const STOP_SECONDS: u64 = 40;
/// The user and group `nobody`/`nogroup` of Debian: the daemon refuses to run as root.
const UNPRIVILEGED: u32 = 65534;

/// Directory and configuration of a repository whose daemon may be started more than once.
pub struct Repository {
    directory: tempfile::TempDir,
    configuration: Value,
    /// Where images are, if not below the directory: another disk.
    base: PathBuf,
}

/// A running daemon; dropping it kills it.
pub struct Imgapi {
    child: Option<Child>,
    pub port: u16,
    log: PathBuf,
}

impl Repository {
    /// One whose configuration has these keys besides port and directory. Without `authType` everybody may do everything.
    pub fn new(configuration: Value) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("imagewright-repository.")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()?;
        let base = directory.path().join("data");
        Self::of(directory, base, configuration)
    }

    /// The same with its images in a directory that is there, on another disk.
    pub fn at(base: &Path, configuration: Value) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("imagewright-repository.")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()?;
        Self::of(directory, base.to_owned(), configuration)
    }

    fn of(directory: tempfile::TempDir, base: PathBuf, configuration: Value) -> Result<Self> {
        fs::create_dir_all(&base)?;
        let mut repository = Self {
            directory,
            configuration: Value::Null,
            base,
        };
        repository.configure(configuration);
        Ok(repository)
    }

    /// Gives it another configuration, for daemons that are started from now on.
    pub fn configure(&mut self, configuration: Value) {
        let mut whole = json!({ "authType": "none", "baseDir": self.base });
        for (key, value) in configuration.as_object().into_iter().flatten() {
            whole[key] = value.clone();
        }
        self.configuration = whole;
    }

    /// Everything of it.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The directory that holds its images.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The file of its configuration.
    pub fn configuration_file(&self) -> PathBuf {
        self.path().join("imgapi.config.json")
    }

    /// Starts the daemon and waits until it answers.
    pub fn start(&self) -> Result<Imgapi> {
        self.start_in(&[])
    }

    /// The same with `environment`, pairs of name and value, beside that of the test.
    pub fn start_in(&self, environment: &[(&str, &str)]) -> Result<Imgapi> {
        self.start_on(free_port()?, environment)
    }

    /// The same on a port that others were told of.
    pub fn start_on(&self, port: u16, environment: &[(&str, &str)]) -> Result<Imgapi> {
        let log = self.path().join("imgapi.log");
        let output = fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = self.command(port)?;
        command
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = command.spawn().context("cannot start imgapi")?;
        let mut daemon = Imgapi {
            child: Some(child),
            port,
            log,
        };
        daemon.wait_until_it_answers()?;
        Ok(daemon)
    }

    /// Runs the daemon where it is expected to end by itself, and gives what it said.
    pub fn run_to_its_end(&self) -> Result<Output> {
        let mut command = self.command(free_port()?)?;
        Ok(command.stdin(Stdio::null()).output()?)
    }

    /// The daemon as the unprivileged user, with its configuration written, logging to standard error.
    pub fn command(&self, port: u16) -> Result<Command> {
        let mut configuration = self.configuration.clone();
        configuration["port"] = port.into();
        if configuration["mode"] == "dc" && configuration["metricsPort"].is_null() {
            // The usual one is that of another test.
            configuration["metricsPort"] = free_port()?.into();
        }
        fs::write(self.configuration_file(), configuration.to_string())?;
        let binary = program("imgapi")?;
        let mut command = if rustix::process::geteuid().is_root() {
            self.hand_over()?;
            let copy = self.path().join("imgapi");
            if !copy.exists() && fs::hard_link(&binary, &copy).is_err() {
                fs::copy(&binary, &copy)?;
            }
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={UNPRIVILEGED}"))
                .arg(format!("--regid={UNPRIVILEGED}"))
                .arg("--clear-groups")
                .arg(copy);
            command
        } else {
            Command::new(binary)
        };
        command
            .arg("-f")
            .arg(self.configuration_file())
            .args(["-logDir=", "-alsoLogToStderr"]);
        Ok(command)
    }

    /// All of it belongs to the unprivileged user from now on: for files that a test put there.
    pub fn hand_over(&self) -> Result<()> {
        if !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let owner = format!("{UNPRIVILEGED}:{UNPRIVILEGED}");
        let mut command = Command::new("chown");
        let status = command
            .arg("-R")
            .arg(owner)
            .arg(self.path())
            .arg(&self.base)
            .status()?;
        ensure!(status.success(), "chown failed");
        Ok(())
    }
}

impl Imgapi {
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// As clients are told of it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn process_id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    pub fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A connection that is kept from request to request.
    pub fn talk(&self) -> Result<Talk> {
        Talk::to(self.address())
    }

    /// `GET` on a connection of its own.
    pub fn get(&self, url: &str) -> Result<Reply> {
        self.ask("GET", url, &[], b"")
    }

    /// A body of JSON on a connection of its own.
    pub fn send(&self, method: &str, url: &str, body: &Value) -> Result<Reply> {
        let headers = [("content-type", "application/json")];
        self.ask(method, url, &headers, body.to_string().as_bytes())
    }

    /// One request on a connection of its own.
    pub fn ask(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply> {
        self.talk()?.ask(method, url, headers, body)
    }

    /// Whether the process is still that which was started.
    pub fn is_running(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Peak resident memory in bytes.
    pub fn peak_memory_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process_id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.context("no VmHWM")?.trim().trim_end_matches(" kB").trim();
        Ok(kilobytes.parse::<u64>()? * 1024)
    }

    /// Files and sockets it has open.
    pub fn open_files(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.process_id()))?.count())
    }

    /// Asks it to stop, and says with which code it ended.
    pub fn stop(mut self) -> Result<Option<i32>> {
        let mut child = self.child.take().context("it is not running")?;
        let pid = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.context("no process id")?, rustix::process::Signal::TERM)?;
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS);
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait()? {
                return Ok(status.code());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill()?;
        child.wait()?;
        bail!("imgapi did not stop within {STOP_SECONDS} s of SIGTERM");
    }

    /// Ends it without warning, as a power cut would end the process.
    pub fn kill(mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS);
        while Instant::now() < deadline {
            if !self.is_running() {
                bail!("imgapi ended at once:\n{}", self.log_text());
            }
            if TcpStream::connect(self.address()).is_ok() {
                let reply = self.get("/ping")?;
                ensure!(reply.status == 200, "ping: {reply:?}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!(
            "imgapi did not answer within {START_SECONDS} s:\n{}",
            self.log_text()
        );
    }
}

impl Drop for Imgapi {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
