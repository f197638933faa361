//! `imagewright certs` for the other verbs: authorities and certificates of their own.

use anyhow::{Context, ensure};
use std::path::Path;
use std::process::Command;

/// Runs a verb of `imagewright certs` as a process of its own: what it tells on standard output is no result of ours.
pub(crate) fn certs(arguments: &[&str], paths: &[(&str, &Path)]) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe().context("where am I?")?);
    command.arg("certs").args(arguments);
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    let output = command.output().context("cannot run imagewright certs")?;
    ensure!(
        output.status.success(),
        "imagewright certs {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
