//! The command-line client of image repositories.
//!
//! One file per verb in `verbs/`. A verb gets the [`session::Session`] (the client, how to show things) and its arguments. Verbs, flags and
//! the lines they print are those of the original's client, so that scripts go on working; what it lacks is added under
//! names it does not have. It deliberately lacks prompts: nothing here waits for somebody to type.

mod arguments;
mod documents;
mod failure;
mod help;
mod images;
mod interrupt;
mod manifest;
mod output;
mod profile;
mod session;
mod table;
mod transfer;
mod verbs;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::arguments::{Cli, Command};
use crate::session::Session;

fn main() -> ExitCode {
    if help::is_asked_for() {
        print!("{}", help::short(&Cli::command()));
        return ExitCode::SUCCESS;
    }
    let cli = Cli::parse();
    if let Some(result) = documents::print_if_asked(&cli.command) {
        return result.map_or_else(|error| failure::report(&error, None), |()| ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&error.into(), None),
    };
    let code = runtime.block_on(run(cli));
    // A thread that still waits for a peer or for standard input must not hold up the end.
    runtime.shutdown_background();
    code
}

async fn run(cli: Cli) -> ExitCode {
    if let Command::Profiles(arguments) = &cli.command {
        return failure::code(arguments.run(&cli.common), None);
    }
    match Session::new(&cli.common).await {
        Err(error) => failure::report(&error, None),
        Ok(session) => {
            let result = interrupt::guarded(verbs::run(cli.command, &session)).await;
            failure::code(result, Some(&session))
        }
    }
}
