//! One build each: its log, its phases, the thread it runs on, and the actor that watches over it.
//!
//! Promises: a panic in a build, or in its actor, ends that build with an error that says so, and no other. A build that was told to end and
//! does not is reported after a bounded time; its place stays taken until its thread ends, because its sandbox, its mounts and its
//! range of identities are in use until then. Sources that have to be built first are built in the same log, at most
//! `SOURCE_DEPTH` of them below each other, and never in a ring.
//!
//! Lacks on purpose: any queue (that is the [scheduler](crate::stream_scheduler)), any trying again.
//!
//! | module | what |
//! | --- | --- |
//! | `actor` | the actor of one build |
//! | `build` | what all who care for a build share |
//! | `cancel` | ending it before its time |
//! | `flights` | sources that are being built, each once |
//! | `host` | what a build asks of whoever runs it |
//! | `log` | its log: written by one, followed by many |
//! | `result`, `why` | what came of it, and why it ran |
//! | `run` | the thread: engine, sources, panics |
//! | `watcher` | what the engine sees |

mod actor;
mod build;
mod cancel;
mod flights;
mod host;
mod log;
mod result;
mod run;
mod watcher;
mod why;

pub(crate) use actor::{BuildRunner, Cancel, DebugPanic};
pub use build::{Build, BuildOrder, BuildState};
pub(crate) use flights::Flights;
pub(crate) use host::Host;
pub use log::{BuildLog, LOG_BYTES, LOG_MEMORY_BYTES, LogFollower, LogState};
pub use result::{BuildFailure, BuildResult, BuiltImage, PhaseTime};
pub(crate) use run::Run;
pub use why::Why;
