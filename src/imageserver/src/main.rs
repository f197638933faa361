//! The image server daemon: keeps machine images as trees of content-addressed files, and serves them.
//!
//! This program is wiring. What it serves is in [`rpc`] (one file per SRPC method) and [`pages`] (one per page); what it owns
//! is in the `actors` crate; port, frame, log and flags of all daemons are in `front`.
//!
//! Promises: the port opens only when everything is loaded (`imageserver.md §8`); a stop lets running calls finish; a replica
//! follows its master from then on. Lacks: any state of its own that outlives it.

mod figures_over_time;
mod flags;
mod followers;
mod import;
mod information;
mod metrics;
mod pages;
mod random;
mod rpc;
mod selection;
mod start;
mod state;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod time;
mod upstream;

use front::daemon::Daemon;

/// What the original says (`imageserver.md §8`).
const ROOT_REFUSAL: &str = "Do not run the Image Server as root";

fn main() {
    let daemon = Daemon::begin(flags::table(), Some(ROOT_REFUSAL));
    let logs = daemon.logs.clone();
    match start::run(daemon) {
        Ok(()) => logs.flush(),
        Err(error) => logs.fatal(&format!("{error:#}")),
    }
}
