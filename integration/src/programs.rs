//! The programs of this workspace, as files to start.

use anyhow::{Context, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Environment variable with a directory of ready-made programs, to test those instead of building any: `make test` builds
/// them once and sets it, since cargo takes seconds, or waits for another cargo, in each of many test programs.
pub const PROGRAMS_VARIABLE: &str = "IMAGEWRIGHT_PROGRAMS";

/// Path of a program by its name (`imageserver`, `imagetool`, `imgapi`).
///
/// The first call in a process has cargo build that program, in the profile and target directory of the running test; a
/// test must never judge yesterday's program. The others may not be there: see [`all_programs`]. Fails if the build does.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = made(Some(name))?.join(name);
    ensure!(path.is_file(), "{} is not there", path.display());
    Ok(path)
}

/// The directory of all programs, for what needs them beside each other: `imagewright up`, packages. Built as [`program`]
/// does.
pub fn all_programs() -> anyhow::Result<PathBuf> {
    made(None)
}

/// What was built in this process, and where it is or why not; all programs are `None`.
static MADE: Mutex<BTreeMap<Option<String>, Result<PathBuf, String>>> = Mutex::new(BTreeMap::new());

fn made(name: Option<&str>) -> anyhow::Result<PathBuf> {
    // Held while cargo is at work: other threads would only wait for it.
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = made
        .entry(name.map(str::to_owned))
        .or_insert_with(|| make(name).map_err(|error| format!("{error:#}")));
    let directory = directory
        .as_ref()
        .map_err(|error| anyhow::anyhow!("cannot build the programs: {error}"))?;
    Ok(directory.clone())
}

fn make(name: Option<&str>) -> anyhow::Result<PathBuf> {
    if let Some(directory) = std::env::var_os(PROGRAMS_VARIABLE) {
        return Ok(directory.into());
    }
    // TARGET/PROFILE/deps/TEST-HASH is where cargo puts the running test.
    let test = std::env::current_exe().context("where am I?")?;
    let profile_directory = test
        .parent()
        .and_then(Path::parent)
        .context("not started from a target directory")?;
    let target = profile_directory
        .parent()
        .context("not started from a target directory")?;
    let profile = match profile_directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let mut command = Command::new(cargo);
    // Of the whole workspace also for one program: else it would be compiled with other features each time.
    command.args(["build", "--quiet", "--workspace", "--profile", profile]);
    match name {
        Some(name) => command.args(["--bin", name]),
        None => command.arg("--bins"),
    };
    let output = command
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(target)
        .output()
        .context("cannot start cargo")?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(profile_directory.to_owned())
}
