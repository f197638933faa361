//! The command line (imgapi-operations.md §1, "Program options"): like the other daemons', with the original's exit status and words.

use flags::{FlagFile, Outcome, Table};
use front::daemon::Daemon;
use front::logs::{LineForm, LogConfig, RecordHead};

use crate::state::INTERFACE_VERSION;

/// As the other daemons say it.
const ROOT_REFUSAL: &str = "Do not run the image repository as root";

/// Name of the log's records.
const LOG_NAME: &str = "imgapi";

/// Reads the flags and opens the log, or ends the process.
pub(crate) fn daemon(table: Table) -> Daemon {
    table.print_document_if_asked();
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    if let [only] = arguments.as_slice()
        && matches!(only.as_str(), "--version" | "-version")
    {
        print!("IMGAPI {INTERFACE_VERSION}\n{}", table.version().lines("imgapi"));
        std::process::exit(0);
    }
    let values = match table.parse_after(&FlagFile::of_daemon("imgapi"), arguments) {
        Outcome::Run(values) => values,
        Outcome::Exit(exit) => {
            eprint!("{}{}", exit.text, crate::flags::subcommands());
            // The original's status of wrong use is 1.
            std::process::exit(exit.code.min(1));
        }
    };
    // A subcommand that is misspelt must not start a server.
    if let Some(word) = values.arguments().first() {
        end(&format!(
            "imgapi: error: unknown command: {word:?}\ntry: imgapi -h"
        ));
    }
    // Behind the flags: root may ask for help.
    if rustix::process::geteuid().is_root() {
        end(ROOT_REFUSAL);
    }
    let config = LogConfig {
        form: LineForm::Records(RecordHead::new(LOG_NAME)),
        ..LogConfig::from_flags(&values)
    };
    Daemon::with_log(table, values, config)
}

/// How often `-d` or `--debug` is on the command line: once debug, more often trace. It goes before the configuration's level.
pub(crate) fn debug_flags() -> usize {
    std::env::args_os()
        .skip(1)
        .filter(|argument| {
            matches!(
                argument.to_str(),
                Some("-d" | "--d" | "-debug" | "--debug" | "-d=true" | "--debug=true")
            )
        })
        .count()
}

fn end(sentence: &str) -> ! {
    eprintln!("{sentence}");
    std::process::exit(1)
}
