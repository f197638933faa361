//! The level of the log: `-d` on the command line, else `logLevel` of the configuration, which may change at any time.

use front::logs::{Logs, Severity};
use repository::configuration::Settings;

use crate::begin::debug_flags;

/// Keeps records from the level on that holds now.
pub(crate) fn set(logs: &Logs, settings: &Settings) {
    let severity = match debug_flags() {
        0 => Severity::of_number(settings.log_level),
        1 => Severity::DEBUG,
        _ => Severity::TRACE,
    };
    logs.keep_from(severity);
}
