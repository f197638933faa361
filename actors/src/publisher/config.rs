//! What the publisher is told at the start.

use crate::Jobs;
use crate::image_jobs::Workroom;
use image_client::Connect;
use std::time::Duration;

/// How to follow an image server.
#[derive(Clone)]
pub struct Publishing {
    /// The repository and its settings.
    pub room: Workroom,
    /// Who does the work.
    pub jobs: Jobs,
    /// `HOST:PORT` of the image server, as people are told it.
    pub upstream: String,
    /// How to connect to it.
    pub connect: Connect,
    /// Pause before the first attempt to connect again.
    pub first_pause: Duration,
    /// Pause up to which it doubles.
    pub longest_pause: Duration,
    /// Pause before what failed is tried again; it doubles up to an hour.
    pub retry_pause: Duration,
    /// Whether the actor panics when asked to: for tests of supervision.
    pub allow_debug_panic: bool,
}

impl Publishing {
    /// With the usual pauses.
    pub fn new(room: Workroom, jobs: Jobs, upstream: impl Into<String>, connect: Connect) -> Publishing {
        Publishing {
            room,
            jobs,
            upstream: upstream.into(),
            connect,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            retry_pause: Duration::from_secs(60),
            allow_debug_panic: false,
        }
    }
}
