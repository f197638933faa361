//! Why a request is refused. The texts are those clients know (`imaginator.md §10, §16; builder-tool.md §6`).

use crate::CallError;
use std::time::Duration;

/// Why a build is not begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Build requests are disabled.
    #[error("builds disabled until {until} (for {})", human::duration(*remaining))]
    Disabled {
        /// When they are enabled again, as people read it.
        until: String,
        /// How long that takes.
        remaining: Duration,
    },
    /// The image would expire too soon.
    #[error("minimum expiration duration is {}", human::duration(*.0))]
    ExpiresTooSoon(Duration),
    /// There is no configuration yet.
    #[error("timed out waiting for streams list to load")]
    NotLoaded,
    /// The image server cannot be reached.
    #[error("{0}")]
    ImageServer(String),
    /// There is no such stream.
    #[error("unknown stream: {0}")]
    UnknownStream(String),
    /// The name is that of more than one stream.
    #[error("{0}")]
    AmbiguousStream(String),
    /// The image would live longer than this requester's may.
    #[error("maximum expiration time is {}{}", human::duration(*limit), if *is_privileged { " for you" } else { "" })]
    ExpiresTooLate {
        /// The limit.
        limit: Duration,
        /// It is the limit of those with method powers.
        is_privileged: bool,
    },
    /// The requester may not build this stream.
    #[error("no permission to build: {0}")]
    NoPermission(String),
    /// Too many builds wait, of this requester or of all.
    #[error("too many builds are waiting ({0}): try again later")]
    QueueFull(usize),
    /// Variables and branch are too long.
    #[error("variables and branch of a request have more than {0} bytes")]
    TooLarge(usize),
    /// A variable that requests may not set.
    #[error(
        "variable {0:?} may not be set by a request: it decides which programs run, or has its value from this image builder"
    )]
    Variable(String),
    /// The daemon is stopping.
    #[error("the image builder is stopping")]
    Stopping,
    /// The scheduler.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Why a build is not cancelled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CancelError {
    /// No build of this number is waiting or running.
    #[error("no build {0} is waiting or running")]
    Unknown(u64),
    /// The scheduler.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Why automatic builds are not started or disabled, or build requests not disabled (`imaginator.md §16`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    /// Longer than four intervals.
    #[error("cannot disable auto building for more than: {}", human::duration(*.0))]
    AutoTooLong(Duration),
    /// Longer than a day.
    #[error("cannot disable build requests for more than: 24h")]
    RequestsTooLong,
    /// A cycle is running.
    #[error("auto build busy")]
    Busy,
    /// The scheduler.
    #[error(transparent)]
    Call(#[from] CallError),
}
