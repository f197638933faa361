//! The image builder's command-line client.
//!
//! One file per verb in `verbs/`, for those that ask a daemon, and in `local/`, for those that build here. A verb gets the
//! [`session::Session`] (flags, connections, output) and its arguments.

mod flag_table;
mod local;
mod options;
mod progress;
mod session;
mod usual;
mod variables;
mod verbs;

use std::process::ExitCode;

use flags::FlagFile;

use crate::options::Options;
use crate::session::Session;

/// The command failed (`builder-tool.md §1.1`).
const FAILED: u8 = 1;
/// There was no command.
const NO_COMMAND: i32 = 3;

fn main() -> ExitCode {
    // The program starts itself again as the child that enters a sandbox.
    if let Some(code) = sandbox::run_if_child() {
        return code;
    }
    // SAFETY: there is no other thread yet that could read the environment meanwhile.
    unsafe { std::env::remove_var("LANG") };
    let table = flag_table::table();
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    let values = table.parse_process(&FlagFile::of_tool("builder-tool", home.as_deref()));
    if values.arguments().is_empty() {
        let exit = flags::Exit {
            code: NO_COMMAND,
            text: table.short_help(),
        };
        exit.leave();
    }
    let checked = Options::new(&values).and_then(|options| flag_table::check(&options).map(|()| options));
    let options = match checked {
        Ok(options) => options,
        Err(message) => flags::Exit::wrong_use(message + "\n").leave(),
    };
    let (verb, arguments) = match table.verb_of(&values) {
        Ok((verb, arguments)) => (verb.name(), arguments.to_vec()),
        Err(exit) => exit.leave(),
    };
    // Two threads: one for the connection, one for whatever else is going on; builds have threads of their own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error starting: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let code = runtime.block_on(run(Session::new(options), verb, arguments));
    // A thread that still waits for a peer must not hold up the end.
    runtime.shutdown_background();
    code
}

async fn run(mut session: Session, verb: &'static str, arguments: Vec<String>) -> ExitCode {
    // Certificates that cannot be read are told before anything is done, whatever the verb.
    if let Err(error) = session.credentials() {
        eprintln!("{error}");
        return ExitCode::from(FAILED);
    }
    let (doing, result) = verbs::run(verb, &mut session, &arguments).await;
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if error.is::<session::NotConnected>() {
        eprintln!("{error}");
    } else {
        eprintln!("{doing}: {error}");
    }
    ExitCode::from(FAILED)
}
