//! Man pages and completions of this program, for packages.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;

/// Writes a man page for the program and one for each of its commands into a directory.
pub(crate) fn man_pages(command: Command, directory: &Path) -> anyhow::Result<ExitCode> {
    clap_mangen::generate_to(command, directory)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the completion script of a shell.
pub(crate) fn completion(mut command: Command, shell: Shell) -> anyhow::Result<ExitCode> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
