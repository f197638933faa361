//! What all daemons share: one port for pages and SRPC, the page frame, figures, health, logs, the common flags.
//!
//! A daemon's `main` is: [`daemon::Daemon::begin`] (flags, log), its own loading, then [`listener::Listener`] with
//! its services and pages, then [`daemon::StopSignals`] and [`listener::Listening::stop`].
//!
//! Promises: nothing here knows what an image is; every page carries the headers of `imageserver.md §9`; the port
//! opens when the daemon says so and closes without cutting off running calls.
//! Lacks: TLS on the listener itself (SRPC brings its own), HTTP/2, authentication of pages.

pub mod assets;
pub mod daemon;
pub mod health;
pub mod history;
pub mod listener;
pub mod logger_service;
pub mod logs;
pub mod metrics;
pub mod page;
pub mod site;
pub mod status_tables;

#[cfg(test)]
mod testing;

#[doc(hidden)]
pub use tracing;
