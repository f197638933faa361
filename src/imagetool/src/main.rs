//! The image server's command-line client.
//!
//! One file per verb in `verbs/`; a verb gets the [`session::Session`] (flags, connections, output) and its arguments. What
//! several of them need is beside it: where trees come from, what files say, how things look.

mod flag_table;
mod inputs;
mod interrupt;
mod local_time;
mod options;
mod output;
mod progress_bar;
mod session;
mod shown;
mod trees;
mod typed_name;
mod verbs;

use std::process::ExitCode;

use flags::FlagFile;

use crate::options::Options;
use crate::session::Session;

/// Negative result of a question, or a failure (`imagetool.md §1`).
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let table = flag_table::table();
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    let values = table.parse_process(&FlagFile::of_tool("imagetool", home.as_deref()));
    let (verb, arguments) = match table.verb_of(&values) {
        Ok((verb, arguments)) => (verb.name(), arguments.to_vec()),
        Err(exit) => exit.leave(),
    };
    let checked = Options::new(&values).and_then(|options| flag_table::check(&options).map(|()| options));
    let options = match checked {
        Ok(options) => options,
        Err(message) => flags::Exit::wrong_use(
            message
                + "
",
        )
        .leave(),
    };
    // Two threads: one for the connections, one for whatever else is going on; files are read and written on others.
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
    let session = Session::new(options);
    let code = runtime.block_on(run(session, verb, arguments));
    // A thread that still waits for a peer must not hold up the end.
    runtime.shutdown_background();
    code
}

async fn run(mut session: Session, verb: &'static str, arguments: Vec<String>) -> ExitCode {
    interrupt::watch(session.cancel.clone());
    let (doing, result) = verbs::run(verb, &mut session, &arguments).await;
    let result = result.and_then(|verdict| session.out.flush().map(|()| verdict).map_err(Into::into));
    match result {
        Ok(verbs::Verdict::Done) => ExitCode::SUCCESS,
        Ok(verbs::Verdict::No) => ExitCode::from(FAILED),
        // Whoever read our output has enough; that is no failure of ours to talk about.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::from(FAILED),
        Err(error) => {
            if error.is::<session::NotConnected>() || error.is::<session::Bare>() {
                eprintln!("{error}");
            } else {
                eprintln!("{doing}: {error}");
            }
            ExitCode::from(if session.cancel.is_cancelled() {
                interrupt::EXIT_CODE
            } else {
                FAILED
            })
        }
    }
}
