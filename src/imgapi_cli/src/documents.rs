//! Man pages and completions, printed by the program itself for packages.

use std::io::Write;

use clap::CommandFactory;

use crate::arguments::{Cli, Command};

/// Prints one if that is the command.
pub(crate) fn print_if_asked(command: &Command) -> Option<anyhow::Result<()>> {
    match command {
        Command::PrintManPages { directory } => {
            Some(clap_mangen::generate_to(Cli::command(), directory).map_err(Into::into))
        }
        Command::PrintCompletion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "imgapi-cli", &mut script);
            Some(std::io::stdout().write_all(&script).map_err(Into::into))
        }
        _ => None,
    }
}
