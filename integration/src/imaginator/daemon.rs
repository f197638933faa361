//! The running daemon of a test.

use super::Workplace;
use super::requests::outcome;
use crate::page_request::{Answer, request};
use crate::process::Process;
use crate::programs::program;
use crate::server::free_port;
use crate::tool::Outcome;
use anyhow::Result;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// A running daemon; dropping it kills it.
pub struct Imaginator {
    process: Process,
    pub port: u16,
}

impl Workplace {
    /// Starts the daemon with `flags` beside those of its places, and waits until it answers. Nothing is rebuilt by itself, unless the
    /// flags say so.
    pub fn start(&self, flags: &[&str]) -> Result<Imaginator> {
        self.start_on(free_port()?, flags)
    }

    /// The same on a port that others were told of.
    pub fn start_on(&self, port: u16, flags: &[&str]) -> Result<Imaginator> {
        let mut command = self.command(port)?;
        command.args(flags);
        let log = self.path().join("imaginator.log");
        let mut process = Process::start("the image builder", &mut command, &log)?;
        let answers = |path| request(port, "GET", path, &[], "").is_ok_and(|page| page.status == 200);
        // The original has no page for this, but a status page.
        process.wait_until(|| answers("/healthz") || answers("/"))?;
        Ok(Imaginator { process, port })
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
        self.process.id()
    }

    pub fn log_text(&self) -> String {
        self.process.log_text()
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
        request(self.port, method, path, headers, body)
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
        self.process.stop()
    }

    /// Ends it without warning.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()
    }
}
