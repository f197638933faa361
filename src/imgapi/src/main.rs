//! The daemon of a repository of machine images with a REST API, IMGAPI.
//!
//! This program is wiring. What is answered to whom is decided by the pure crate `repository`; records, files, keys and jobs
//! belong to the `actors` crate. Here a request is taken apart in the order of `imgapi.md §3` ([`dispatch`]), given to its
//! endpoint ([`routes`], one file each), and answered ([`answer`]). `imgapi config` and `imgapi logs` are in [`commands`].
//!
//! Promises: the port opens when all images are read; every answer has the headers of `imgapi.md §3.1`; no file is held in
//! memory; no request ends the process. Lacks: any state of its own that outlives it.

mod accept;
mod answer;
mod audit;
mod authenticate;
mod begin;
mod change;
mod client;
mod commands;
mod dispatch;
mod failures;
mod flags;
mod incoming;
mod join;
mod known;
mod limits;
mod listener;
mod log_level;
mod log_socket;
mod metrics;
mod minted;
mod pages;
mod remote;
mod request;
mod request_id;
mod restart;
mod routes;
mod signals;
mod start;
mod state;
mod upload;

use std::process::ExitCode;

use start::End;

/// Status when the configuration is not good (imgapi-operations.md §1).
const BAD_CONFIGURATION: i32 = 2;

fn main() -> ExitCode {
    if let Some(status) = commands::run() {
        return status;
    }
    let daemon = begin::daemon(flags::table());
    let logs = daemon.logs.clone();
    let ended = start::run(daemon);
    match ended {
        Ok(End::Stopped) => {
            logs.flush();
            ExitCode::SUCCESS
        }
        Ok(End::Restart) => {
            logs.flush();
            // Comes back only if it failed.
            let error = restart::again();
            logs.fatal(&format!("cannot start again: {error}"))
        }
        Err(error) if error.is::<actors::SettingsError>() => {
            logs.fatal_with(&human::with_causes(error.as_ref()), BAD_CONFIGURATION)
        }
        Err(error) => logs.fatal(&human::with_causes(error.as_ref())),
    }
}
