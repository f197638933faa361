//! Running `imagetool` against a test's server.

use crate::programs::program;
use crate::server::ImageServer;
use anyhow::Result;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `imagetool` as one user: port and certificates are fixed, no configuration of the host is read.
pub struct Tool {
    port: u16,
    certificates: PathBuf,
    home: PathBuf,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Outcome {
    pub out: String,
    pub err: String,
    pub code: i32,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            out: text(output.stdout),
            err: text(output.stderr),
            code: output.status.code().unwrap_or(-1),
        }
    }
}

impl Tool {
    /// `certificates` is a `-certDirectory`; one that does not exist stands for a user without certificates.
    pub fn new(server: &ImageServer, certificates: &Path, home: &Path) -> Self {
        Self {
            port: server.port,
            certificates: certificates.to_owned(),
            home: home.to_owned(),
        }
    }

    /// The same user at another port: that of something between the tool and its server.
    #[must_use]
    pub fn at_port(&self, port: u16) -> Self {
        Self {
            port,
            certificates: self.certificates.clone(),
            home: self.home.clone(),
        }
    }

    /// The flags of every run, for tests that start the program themselves.
    pub fn flags(&self) -> Vec<String> {
        vec![
            "-imageServerHostname=127.0.0.1".to_owned(),
            format!("-imageServerPortNum={}", self.port),
            format!("-certDirectory={}", self.certificates.display()),
        ]
    }

    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Outcome> {
        let output = Command::new(program("imagetool")?)
            .args(self.flags())
            .args(arguments)
            .env("HOME", &self.home)
            .env("TZ", "UTC")
            .output()?;
        Ok(output.into())
    }

    /// The same for a command that must succeed; gives what it printed.
    pub fn must<A: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[A]) -> Result<String> {
        let outcome = self.run(arguments)?;
        anyhow::ensure!(
            outcome.code == 0,
            "imagetool {arguments:?} ended with {}: {}",
            outcome.code,
            outcome.err
        );
        Ok(outcome.out)
    }
}
