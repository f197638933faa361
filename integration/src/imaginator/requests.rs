//! What users ask a daemon for, with `builder-tool`.

use super::{ADMINISTRATOR, Imaginator, Workplace};
use crate::programs::program;
use crate::tool::Outcome;
use anyhow::{Context, Result, ensure};
use std::io::{BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

/// A request that is going on.
pub struct Building {
    child: Child,
    pub log: BufReader<ChildStderr>,
    pub output: BufReader<ChildStdout>,
}

impl Workplace {
    /// `builder-tool` as a user, with arguments.
    pub fn tool(&self, user: &str, port: u16, arguments: &[&str]) -> Result<Command> {
        let binary = match &self.foreign_tool {
            Some(binary) => binary.clone(),
            None => program("builder-tool")?,
        };
        let mut command = Command::new(binary);
        command
            .arg("-imaginatorHostname=127.0.0.1")
            .arg(format!("-imaginatorPortNum={port}"))
            .arg("-imageServerHostname=127.0.0.1")
            .arg(format!("-imageServerPortNum={}", self.images.server.port))
            .arg(format!(
                "-certDirectory={}",
                self.images.certificates(user).display()
            ))
            .args(arguments)
            .env("HOME", self.path())
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Has an image built, to its end: `out` is its name, `err` the log.
    pub fn build(&self, daemon: &Imaginator, stream: &str) -> Result<Outcome> {
        self.build_as(ADMINISTRATOR, daemon, &["build-image", stream])
    }

    /// The same as a user, with whatever arguments.
    pub fn build_as(&self, user: &str, daemon: &Imaginator, arguments: &[&str]) -> Result<Outcome> {
        let arguments = [&["-alwaysShowBuildLog"], arguments].concat();
        outcome(&mut self.tool(user, daemon.port, &arguments)?)
    }

    /// Has an image built; its name. A build that fails is an error with its log.
    pub fn built(&self, daemon: &Imaginator, stream: &str) -> Result<String> {
        let outcome = self.build(daemon, stream)?;
        ensure!(
            outcome.code == 0,
            "{stream} was not built:\n{}\nthe daemon's log:\n{}",
            outcome.err,
            daemon.log_text()
        );
        Ok(outcome.out.trim_end().to_owned())
    }

    /// Begins a build, whose log can be followed.
    pub fn begin(&self, user: &str, daemon: &Imaginator, stream: &str) -> Result<Building> {
        let mut child = self
            .tool(user, daemon.port, &["-alwaysShowBuildLog", "build-image", stream])?
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let log = BufReader::new(child.stderr.take().context("no log")?);
        let output = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Building { child, log, output })
    }

    /// A token with which the pages do what methods do, as a user.
    pub fn page_token(&self, user: &str, daemon: &Imaginator) -> Result<String> {
        let outcome = outcome(&mut self.tool(user, daemon.port, &["get-page-token"])?)?;
        ensure!(outcome.code == 0, "{}", outcome.err);
        Ok(outcome.out.trim().to_owned())
    }
}

impl Building {
    /// Waits for its end; what is left of output and log.
    pub fn end(mut self) -> Result<Outcome> {
        let mut out = String::new();
        let mut err = Vec::new();
        self.log.read_to_end(&mut err)?;
        self.output.read_to_string(&mut out)?;
        let status = self.child.wait()?;
        Ok(Outcome {
            out,
            err: String::from_utf8_lossy(&err).into_owned(),
            code: status.code().unwrap_or(-1),
        })
    }

    /// Ends the tool without warning.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

pub(super) fn outcome(command: &mut Command) -> Result<Outcome> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    Ok(output.into())
}
