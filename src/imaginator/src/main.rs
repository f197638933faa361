//! The image builder daemon: builds images of named streams in sandboxes, on request and on schedule, and publishes them to an
//! image server.
//!
//! This program is wiring. What it serves is in [`rpc`] (one file per SRPC method) and [`pages`] (one per page); streams, queue,
//! running builds and archived logs belong to the `actors` crate; building is done by the `builder` crate.
//!
//! Promises: it starts in the order of `imaginator.md §2` and says what is wrong; mounts of builds are in a mount namespace
//! of its own, so that none outlives it; a stop cancels running builds and leaves nothing of them behind.
//! Lacks: any state of its own that outlives it.

mod figures_over_time;
mod flags;
mod metrics;
mod page_token;
mod pages;
mod privileges;
mod rpc;
mod start;
mod state;
mod wiring;

use std::process::ExitCode;

use front::daemon::Daemon;

fn main() -> ExitCode {
    // The program starts itself again as the child that enters a sandbox.
    if let Some(code) = sandbox::run_if_child() {
        return code;
    }
    let table = flags::table();
    let values = table.parse_process(&::flags::FlagFile::of_daemon(table.program()));
    if values.boolean("checkConfiguration") {
        check_configuration(&values);
    }
    privileges::require_root();
    privileges::protect_from_lack_of_memory();
    // Before there are threads: each thread has the mount namespace it was started with.
    privileges::own_mount_namespace();
    let daemon = Daemon::with_values(table, values);
    let logs = daemon.logs.clone();
    match start::run(daemon) {
        Ok(()) => {
            logs.flush();
            ExitCode::SUCCESS
        }
        Err(error) => logs.fatal(&format!("{error:#}")),
    }
}

/// Reads everything that is configured, says what is wrong with it, and ends: status 1 if the daemon would refuse any of it.
fn check_configuration(values: &::flags::Values) -> ! {
    let report = match flags::Options::of(values) {
        Ok(options) => actors::config_watcher::check(&wiring::watching(&options)),
        Err(error) => {
            eprintln!("{error:#}");
            std::process::exit(1);
        }
    };
    print!("{}", report.text);
    std::process::exit(i32::from(report.has_errors));
}
