//! The running daemon of a test.

use super::Workplace;
use super::requests::outcome;
use crate::programs::program;
use crate::server::{Answer, free_port};
use crate::tool::Outcome;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the daemon may take until it answers, and how long to end.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running daemon; dropping it kills it.
pub struct Imaginator {
    child: Option<Child>,
    pub port: u16,
    log: PathBuf,
}

impl Workplace {
    /// Starts the daemon with `flags` beside those of its places, and waits until it answers. Nothing is rebuilt by itself, unless the
    /// flags say so.
    pub fn start(&self, flags: &[&str]) -> Result<Imaginator> {
        self.start_on(free_port()?, flags)
    }

    /// The same on a port that others were told of.
    pub fn start_on(&self, port: u16, flags: &[&str]) -> Result<Imaginator> {
        let log = self.path().join("imaginator.log");
        let output = fs::File::options().create(true).append(true).open(&log)?;
        let mut command = self.command(port)?;
        command
            .args(flags)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = command.spawn().context("cannot start the image builder")?;
        let mut daemon = Imaginator {
            child: Some(child),
            port,
            log,
        };
        daemon.wait_until_healthy()?;
        Ok(daemon)
    }

    /// Runs the daemon with `flags` where it is expected to end by itself.
    pub fn run_to_its_end(&self, flags: &[&str]) -> Result<Outcome> {
        outcome(self.command(free_port()?)?.args(flags))
    }

    fn command(&self, port: u16) -> Result<Command> {
        let binary = match &self.foreign {
            Some(binary) => binary.clone(),
            None => program("imaginator")?,
        };
        let at = |name: &str| self.path().join(name).display().to_string();
        let mut command = Command::new("sh");
        // The daemon refuses to start with any other.
        command
            .args(["-c", "umask 022; exec \"$@\"", "imaginator"])
            .arg(binary);
        command
            .arg(format!("-portNum={port}"))
            .arg(format!("-configurationUrl=file://{}", at("imaginator.json")))
            .arg("-imageServerHostname=127.0.0.1")
            .arg(format!("-imageServerPortNum={}", self.images.server.port))
            .arg(format!("-stateDir={}", at("state")))
            .arg(format!("-buildLogDir={}", at("builds")))
            .arg(format!("-CAfile={}", at("ssl/CA.pem")))
            .arg("-identityCAfile=")
            .arg(format!("-certFile={}", at("ssl/cert.pem")))
            .arg(format!("-keyFile={}", at("ssl/key.pem")))
            .args([
                "-logDir=",
                "-alsoLogToStderr",
                "-srpcTrustVmOwners=false",
                "-imageRebuildInterval=0s",
            ])
            .env("TMPDIR", self.temporary())
            // A group of its own: what is killed is the daemon, not the test.
            .process_group(0);
        Ok(command)
    }
}

impl Imaginator {
    pub fn process_id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    pub fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Status and body of a page.
    pub fn page(&self, path: &str) -> Result<(u16, String)> {
        let answer = self.request("GET", path, &[], "")?;
        Ok((answer.status, answer.body))
    }

    /// The body of a page that is there.
    ///
    /// # Panics
    /// It is not there.
    pub fn body(&self, path: &str) -> String {
        let (status, body) = self
            .page(path)
            .unwrap_or_else(|error| panic!("{path}: {error:#}"));
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// One web request on a connection of its own.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let more: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n{more}\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").context("no end of headers")?;
        Ok(Answer {
            status: head.split(' ').nth(1).context("no status")?.parse()?,
            head: head.to_lowercase(),
            body: body.to_owned(),
        })
    }

    /// The same for what forms send: names and values.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Result<Answer> {
        let encoded = |text: &str| {
            text.bytes()
                .map(|byte| format!("%{byte:02X}"))
                .collect::<String>()
        };
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        self.request("POST", path, &[&form, headers].concat(), &fields.join("&"))
    }

    /// Asks it to end, and says with which code it did.
    pub fn stop(mut self) -> Result<Option<i32>> {
        let mut child = self.child.take().context("it is not running")?;
        let process = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(process.context("no process")?, rustix::process::Signal::TERM)?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait()? {
                return Ok(status.code());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill()?;
        child.wait()?;
        bail!(
            "the image builder did not stop within {} s of SIGTERM",
            PATIENCE.as_secs()
        );
    }

    /// Ends it without warning.
    pub fn kill(mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    fn wait_until_healthy(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // The original has no page for this, but a status page.
            let answers = |path| self.page(path).is_ok_and(|(status, _)| status == 200);
            if answers("/healthz") || answers("/") {
                return Ok(());
            }
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                bail!("the image builder ended with {status}:\n{}", self.log_text());
            }
            ensure!(
                Instant::now() < deadline,
                "the image builder does not answer:\n{}",
                self.log_text()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Imaginator {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
