//! Daemons that refuse to run as root, started by tests that do.

use anyhow::{Result, ensure};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The user and group `nobody`/`nogroup` of Debian.
const UNPRIVILEGED: u32 = 65534;

/// Where the program is found below a directory of the unprivileged user's. It stays root's: a link to it is the file that everybody else runs.
const PROGRAM_DIRECTORY: &str = ".program";

/// The program as the unprivileged user, by a copy in `directory`: it may lie below a home directory which that user cannot enter. It may open so
/// many files, where that is not what the test itself may.
pub(crate) fn command(binary: &Path, directory: &Path, open_files: Option<u64>) -> Result<Command> {
    if !rustix::process::geteuid().is_root() {
        return Ok(Command::new(binary));
    }
    let mut command = match open_files {
        Some(limit) => {
            let mut command = Command::new("prlimit");
            command.arg(format!("--nofile={limit}:{limit}")).arg("setpriv");
            command
        }
        None => Command::new("setpriv"),
    };
    command
        .arg(format!("--reuid={UNPRIVILEGED}"))
        .arg(format!("--regid={UNPRIVILEGED}"))
        .arg("--clear-groups")
        .arg(reachable_copy(binary, directory)?);
    Ok(command)
}

/// All below these directories belongs to the unprivileged user from now on: for files that a test put there.
pub(crate) fn hand_over(directories: &[&Path]) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = format!("{UNPRIVILEGED}:{UNPRIVILEGED}");
    let mut command = Command::new("find");
    command
        .args(directories)
        .args(["-name", PROGRAM_DIRECTORY, "-prune", "-o"])
        .args(["-exec", "chown", "--no-dereference", &owner, "{}", "+"]);
    ensure!(command.status()?.success(), "chown failed");
    Ok(())
}

fn reachable_copy(binary: &Path, directory: &Path) -> Result<PathBuf> {
    let directory = directory.join(PROGRAM_DIRECTORY);
    std::fs::create_dir_all(&directory)?;
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755))?;
    let copy = directory.join(binary.file_name().unwrap_or_default());
    if !copy.exists() && std::fs::hard_link(binary, &copy).is_err() {
        std::fs::copy(binary, &copy)?;
    }
    Ok(copy)
}
