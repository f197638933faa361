//! The SRPC service `Logger` (`imageserver.md §5`).
//!
//! Nothing of it is public; callers without method access are not admitted anyway, but were they ever, each of its methods
//! runs once at a time per user.

mod methods;
mod watch;

use srpc::{PerUserLimit, ServiceBuilder};

use crate::logs::Logs;

/// Calls of each method one user without method access may have running.
const CALLS_PER_USER_MOST: usize = 1;

/// The service for a log.
pub fn service(logs: &Logs) -> ServiceBuilder {
    ServiceBuilder::new("Logger")
        .request_reply(methods::Debug(logs.clone()))
        .request_reply(methods::Print(logs.clone()))
        .request_reply(methods::SetDebugLevel(logs.clone()))
        .request_reply(methods::GetStackTrace)
        .raw(watch::Watch(logs.clone()))
        .blocker(PerUserLimit::new(CALLS_PER_USER_MOST))
}

/// Only the main logger exists.
fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        Ok(())
    } else {
        Err(format!("unknown logger: {name}"))
    }
}

#[cfg(test)]
#[path = "tests/service.rs"]
mod tests;
