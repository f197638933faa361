//! One of the daemons.

use super::UpArgs;
use super::home::Home;
use super::image_repository::ImageRepository;
use super::service_user::ServiceUser;
use crate::exit::WrongUse;
use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How long it may take until it answers: an image server with many images reads for a while.
const ANSWER_LIMIT: Duration = Duration::from_secs(600);
/// Between two looks whether it answers.
const LOOK_PERIOD: Duration = Duration::from_millis(50);
/// How long one attempt to ask it may take.
const ASK_LIMIT: Duration = Duration::from_secs(5);
/// How long it may take to end after SIGTERM before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(45);
/// What is read of an answer, bytes.
const ANSWER_BYTES: usize = 64;

/// How one is started.
pub(super) struct Daemon {
    pub(super) name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    user: Option<ServiceUser>,
    directory: PathBuf,
    port: u16,
}

impl Daemon {
    pub(super) fn image_server(
        args: &UpArgs,
        home: &Home,
        user: Option<ServiceUser>,
    ) -> anyhow::Result<Self> {
        let directory = home.image_server();
        let mut arguments = common(&directory, args.imageserver_port);
        arguments.push(format!("-imageDir={}", directory.join("images").display()));
        arguments.push(format!("-objectDir={}", directory.join("objects").display()));
        arguments.extend(args.address.map(|address| format!("-listenAddress={address}")));
        arguments.extend(args.imageserver_flag.iter().cloned());
        Ok(Self {
            name: "imageserver",
            program: program(args, "imageserver")?,
            arguments,
            user,
            directory,
            port: args.imageserver_port,
        })
    }

    pub(super) fn image_repository(
        args: &UpArgs,
        repository: &ImageRepository,
        home: &Home,
        user: Option<ServiceUser>,
    ) -> anyhow::Result<Self> {
        let directory = home.image_repository();
        Ok(Self {
            name: "imgapi",
            program: program(args, "imgapi")?,
            arguments: vec![
                "-f".to_owned(),
                repository.configuration.display().to_string(),
                format!("-logDir={}", directory.join("log").display()),
                "-alsoLogToStderr".to_owned(),
            ],
            user,
            directory,
            port: repository.port,
        })
    }

    pub(super) fn image_builder(args: &UpArgs, home: &Home) -> anyhow::Result<Self> {
        let directory = home.image_builder();
        let configuration = match &args.configuration {
            Some(url) => url.clone(),
            None => default_configuration(&directory)?,
        };
        let mut arguments = common(&directory, args.imaginator_port);
        arguments.push(format!("-configurationUrl={configuration}"));
        arguments.push(format!("-imageServerPortNum={}", args.imageserver_port));
        arguments.push(format!("-stateDir={}", directory.join("state").display()));
        arguments.push(format!("-buildLogDir={}", directory.join("builds").display()));
        arguments.push(format!("-imageRebuildInterval={}", args.rebuild_interval));
        if let Some(variables) = &args.variables {
            let variables = std::path::absolute(variables)?;
            arguments.push(format!("-variablesFile={}", variables.display()));
        }
        arguments.extend(args.address.map(|address| format!("-listenAddress={address}")));
        arguments.extend(args.imaginator_flag.iter().cloned());
        Ok(Self {
            name: "imaginator",
            program: program(args, "imaginator")?,
            arguments,
            user: None,
            directory,
            port: args.imaginator_port,
        })
    }

    /// Starts it. What it prints goes to a file in its directory.
    pub(super) fn start(&self) -> anyhow::Result<Child> {
        let output = self.directory.join("output");
        let output = File::options()
            .create(true)
            .append(true)
            .open(&output)
            .with_context(|| output.display().to_string())?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A group of its own: Ctrl-C in the terminal is for us to pass on, in order.
            .process_group(0);
        if let Some(user) = self.user {
            command.uid(user.user).gid(user.group);
        }
        command
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))
    }

    /// Waits until it answers; an error if it ends before, or does not in time.
    pub(super) async fn answers(&self, child: &mut Child) -> anyhow::Result<()> {
        let started = Instant::now();
        while started.elapsed() < ANSWER_LIMIT {
            if let Some(status) = child.try_wait()? {
                anyhow::bail!(
                    "{} ended ({status}); the end of its log:\n{}",
                    self.name,
                    self.last_lines()
                );
            }
            if tokio::time::timeout(ASK_LIMIT, asked(self.port))
                .await
                .is_ok_and(|answer| answer.is_ok())
            {
                return Ok(());
            }
            tokio::time::sleep(LOOK_PERIOD).await;
        }
        anyhow::bail!(
            "{} does not answer on port {} after {} s; the end of its log:\n{}",
            self.name,
            self.port,
            ANSWER_LIMIT.as_secs(),
            self.last_lines()
        )
    }

    /// Asks it to end, waits, and kills it if it does not.
    pub(super) async fn stop(&self, child: &mut Child) -> anyhow::Result<()> {
        let process = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let Some(process) = process else { return Ok(()) };
        // No harm if it has just ended: it has not been waited for, so the number is still its own.
        let _ = kill_process(process, Signal::TERM);
        if tokio::time::timeout(STOP_LIMIT, child.wait()).await.is_err() {
            eprintln!(
                "{} did not end within {} s and was killed",
                self.name,
                STOP_LIMIT.as_secs()
            );
            child.kill().await?;
        }
        Ok(())
    }

    /// Where its last words are.
    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("output")
    }

    fn last_lines(&self) -> String {
        const LINES: usize = 15;
        let text = std::fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

/// What both take.
fn common(directory: &Path, port: u16) -> Vec<String> {
    let file = |name: &str| directory.join("ssl").join(name).display().to_string();
    vec![
        format!("-portNum={port}"),
        format!("-CAfile={}", file("CA.pem")),
        "-identityCAfile=".to_owned(),
        format!("-certFile={}", file("cert.pem")),
        format!("-keyFile={}", file("key.pem")),
        format!("-logDir={}", directory.join("log").display()),
        "-alsoLogToStderr".to_owned(),
    ]
}

/// An image builder can start without any stream, to be configured later.
fn default_configuration(directory: &Path) -> anyhow::Result<String> {
    let path = directory.join("conf.json");
    if !path.exists() {
        std::fs::write(&path, "{}\n").with_context(|| path.display().to_string())?;
        eprintln!("note: no --configuration: {} has no streams yet", path.display());
    }
    Ok(format!("file://{}", path.display()))
}

fn program(args: &UpArgs, name: &str) -> anyhow::Result<PathBuf> {
    let directory = match &args.programs {
        Some(directory) => directory.clone(),
        None => std::env::current_exe()?
            .parent()
            .context("where am I?")?
            .to_owned(),
    };
    // Where they are installed, daemons and tools lie apart.
    let places = [directory.clone(), directory.join("../sbin")];
    let found = places
        .iter()
        .map(|place| place.join(name))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        let text = format!(
            "there is no {name} in {}: say where it is with --programs",
            directory.display()
        );
        WrongUse(text).into()
    })
}

/// Whether something that speaks HTTP answers.
async fn asked(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("localhost", port)).await?;
    stream
        .write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        .await?;
    let mut answer = [0; ANSWER_BYTES];
    let length = stream.read(&mut answer).await?;
    if answer[..length].starts_with(b"HTTP/1.") {
        Ok(())
    } else {
        Err(std::io::ErrorKind::InvalidData.into())
    }
}
