//! An image repository with a REST API of its own for a test: real daemon, unprivileged user, a directory, a free port.

use crate::http_talk::{Reply, Talk};
use crate::process::Process;
use crate::programs::program;
use crate::server::free_port;
use crate::unprivileged;
use anyhow::Result;
use serde_json::{Value, json};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Directory and configuration of a repository whose daemon may be started more than once.
pub struct Repository {
    directory: tempfile::TempDir,
    configuration: Value,
    /// Where images are, if not below the directory: another disk.
    base: PathBuf,
}

/// A running daemon; dropping it kills it.
pub struct Imgapi {
    process: Process,
    pub port: u16,
}

/// A running one without channels, in which everybody may do everything.
pub fn start_public() -> Result<(Repository, Imgapi)> {
    let repository = Repository::new(json!({"mode": "public"}))?;
    let daemon = repository.start()?;
    Ok((repository, daemon))
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
        let mut command = self.command(port)?;
        command.envs(environment.iter().copied());
        let mut process = Process::start("imgapi", &mut command, &self.path().join("imgapi.log"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        process.wait_until(|| {
            let ping = Talk::to(address).and_then(|mut talk| talk.ask("GET", "/ping", &[], b""));
            ping.is_ok_and(|reply| reply.status == 200)
        })?;
        Ok(Imgapi { process, port })
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
        self.hand_over()?;
        let mut command = unprivileged::command(&binary, self.path(), None)?;
        command
            .arg("-f")
            .arg(self.configuration_file())
            .args(["-logDir=", "-alsoLogToStderr"]);
        Ok(command)
    }

    /// All of it belongs to the unprivileged user from now on: for files that a test put there.
    pub fn hand_over(&self) -> Result<()> {
        unprivileged::hand_over(&[self.path(), &self.base])
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
        self.process.id()
    }

    pub fn log_text(&self) -> String {
        self.process.log_text()
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
        self.process.is_running()
    }

    /// Peak resident memory in bytes.
    pub fn peak_memory_bytes(&self) -> Result<u64> {
        self.process.peak_memory_bytes()
    }

    /// Files and sockets it has open.
    pub fn open_files(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.process_id()))?.count())
    }

    /// Asks it to stop, and says with which code it ended.
    pub fn stop(mut self) -> Result<Option<i32>> {
        self.process.stop()
    }

    /// Ends it without warning, as a power cut would end the process.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()
    }
}
