//! Panics go to the log, with what led to them.

use std::backtrace::Backtrace;

use super::Logs;

/// How a panic's first line begins; `/logs/showPreviousPanic` looks for it.
pub(super) const PANIC_PREFIX: &str = "panic: ";

pub(super) fn install(logs: Logs) {
    std::panic::set_hook(Box::new(move |information| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed").to_owned();
        let place = information
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let reason = information.payload_as_str().unwrap_or("no message");
        logs.print(&format!("{PANIC_PREFIX}{reason} (thread {name}, {place})"));
        for line in Backtrace::force_capture().to_string().lines() {
            logs.print(line);
        }
        logs.flush();
    }));
}
