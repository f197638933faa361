//! The programs of this workspace, as files to start.

use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Environment variable with a directory of ready-made programs, to test those instead of building any.
pub const PROGRAMS_VARIABLE: &str = "IMAGEWRIGHT_PROGRAMS";

/// Path of a program by its name (`imageserver`, `imagetool`, `imagewright`).
///
/// The first call in a process has cargo build the workspace's programs, in the profile and target directory of
/// the running test; a test must never judge yesterday's program. Fails if the build does.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    static DIRECTORY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let directory = DIRECTORY.get_or_init(|| prepare().map_err(|error| format!("{error:#}")));
    let directory = directory
        .as_ref()
        .map_err(|error| anyhow::anyhow!("cannot build the programs: {error}"))?;
    let path = directory.join(name);
    ensure!(path.is_file(), "{} is not there", path.display());
    Ok(path)
}

fn prepare() -> anyhow::Result<PathBuf> {
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
    let output = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--bins",
            "--profile",
            profile,
            "--manifest-path",
        ])
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
