//! The first steps of every daemon.

use flags::{FlagFile, Table, Values};

use crate::logs::{LogConfig, Logs};

/// A daemon that knows its flags and has a log.
pub struct Daemon {
    /// The table of its flags.
    pub table: Table,
    /// Their values.
    pub values: Values,
    /// Its log, installed for the process.
    pub logs: Logs,
}

impl Daemon {
    /// Refuses to run as root with `root_refusal` on standard error and status 1; reads flag files and command line; opens the
    /// log and writes the line of the start. Ends the process where any of that fails, in this order, as the original does.
    pub fn begin(table: Table, root_refusal: Option<&str>) -> Self {
        table.print_document_if_asked();
        if let Some(sentence) = root_refusal
            && rustix::process::geteuid().is_root()
        {
            end(sentence);
        }
        let values = table.parse_process(&FlagFile::of_daemon(table.program()));
        Self::with_values(table, values)
    }

    /// As [`Self::begin`], for a daemon that has read its flags already and judges by itself who may run it.
    pub fn with_values(table: Table, values: Values) -> Self {
        let config = LogConfig::from_flags(&values);
        Self::with_log(table, values, config)
    }

    /// As [`Self::with_values`], with a log that is kept in another way than the flags say.
    pub fn with_log(table: Table, values: Values, config: LogConfig) -> Self {
        let logs = match Logs::start(config) {
            Ok(logs) => logs,
            Err(error) => end(&error.to_string()),
        };
        if let Err(error) = logs.install() {
            end(&error.to_string());
        }
        if values.boolean("logAtStartup") {
            logs.print(&format!("Startup: {}", table.version()));
        }
        if !values.arguments().is_empty() {
            // As with the original they change nothing, but `-archiveMode true` was probably meant to.
            logs.print(&format!("arguments ignored: {}", values.arguments().join(" ")));
        }
        Self { table, values, logs }
    }
}

fn end(sentence: &str) -> ! {
    eprintln!("{sentence}");
    std::process::exit(1)
}
