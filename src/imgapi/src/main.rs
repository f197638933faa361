//! The daemon of a repository of machine images with a REST API, IMGAPI.
//!
//! This program is wiring. What is answered to whom is decided by the pure crate `repository`; records, files, keys and jobs
//! belong to the `actors` crate. Here a request is taken apart in the order of `imgapi.md §3` ([`dispatch`]), given to its
//! endpoint ([`routes`], one file each), and answered ([`answer`]).
//!
//! Promises: the port opens when all images are read; every answer has the headers of `imgapi.md §3.1`; no file is held in
//! memory; no request ends the process. Lacks: any state of its own that outlives it.

#![allow(dead_code, reason = "the endpoints that change something are being written")]

mod accept;
mod answer;
mod authenticate;
mod dispatch;
mod flags;
mod incoming;
mod interim;
mod limits;
mod listener;
mod request;
mod request_id;
mod routes;
mod start;
mod state;

use std::process::ExitCode;

use front::daemon::Daemon;

/// As the other daemons say it.
const ROOT_REFUSAL: &str = "Do not run the image repository as root";

fn main() -> ExitCode {
    let daemon = Daemon::begin(flags::table(), Some(ROOT_REFUSAL));
    let logs = daemon.logs.clone();
    match start::run(daemon) {
        Ok(()) => {
            logs.flush();
            ExitCode::SUCCESS
        }
        Err(error) => logs.fatal(&format!("{error:#}")),
    }
}
