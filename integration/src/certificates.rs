//! A certificate authority and certificates for a test, made by `imagewright certs` as an operator would.

use crate::programs::program;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority in a directory of its own.
pub struct Authority {
    directory: PathBuf,
}

impl Authority {
    /// Makes one at `directory`, which must not exist.
    pub fn new(directory: &Path, name: &str) -> Result<Self> {
        run(&["ca", "--name", name, "--out"], directory)?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// One whose certificates give a name and groups, but no powers.
    pub fn new_identity(directory: &Path, name: &str) -> Result<Self> {
        run(&["identity-ca", "--name", name, "--out"], directory)?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Issues a certificate into `out`; `extra` are arguments such as `--methods`.
    pub fn issue(&self, user: &str, extra: &[&str], out: &Path) -> Result<()> {
        let authority = self.directory.to_string_lossy();
        let mut arguments = vec!["issue", "--ca", &authority, "--user", user];
        arguments.extend(extra);
        arguments.push("--out");
        run(&arguments, out)
    }
}

fn run(arguments: &[&str], last: &Path) -> Result<()> {
    let output = Command::new(program("imagewright")?)
        .arg("certs")
        .args(arguments)
        .arg(last)
        .output()?;
    ensure!(
        output.status.success(),
        "imagewright certs {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
