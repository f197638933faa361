//! One build at a time each: its log, its phases, the thread it runs on.

mod build;
mod cancel;
mod log;
mod result;
mod why;

pub use build::{Build, BuildOrder, BuildState};
pub use log::{BuildLog, LOG_BYTES, LOG_MEMORY_BYTES, LogFollower, LogState};
pub use result::{BuildFailure, BuildResult, BuiltImage, PhaseTime};
pub use why::Why;
