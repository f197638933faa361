//! What the watcher is told at the start.

use std::path::PathBuf;
use std::time::Duration;

/// Between two looks at files, beside being told of changes by the kernel: a file on a network file system changes unseen.
const LOOK_INTERVAL: Duration = Duration::from_secs(15);

/// How long the start waits for the image streams before it takes the copy of an earlier run.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// From asking by HTTP to having the whole answer.
pub(super) const HTTP_MOST: Duration = Duration::from_secs(60);

/// For a connection.
pub(super) const HTTP_CONNECT_MOST: Duration = Duration::from_secs(15);

/// For a clone by git.
pub(super) const GIT_MOST: Duration = Duration::from_secs(300);

/// Before what failed is tried again; doubles up to [`RETRY_LAST`].
pub(super) const RETRY_FIRST: Duration = Duration::from_secs(1);

/// See [`RETRY_FIRST`].
pub(super) const RETRY_LAST: Duration = Duration::from_secs(60);

/// A file is read once nobody has written to it for so long: who writes in place does it in several steps.
pub(super) const QUIET: Duration = Duration::from_millis(100);

/// How long [`ConfigWatcher::reload`](super::ConfigWatcher::reload) waits for everything to be read.
pub(super) const RELOAD_MOST: Duration = Duration::from_secs(60);

/// Where everything is.
#[derive(Debug, Clone)]
pub struct ConfigWatching {
    /// Path, `file:`, `http(s):` or git URL of the main configuration.
    pub configuration_url: String,
    /// The variables file; nothing if there is none.
    pub variables_file: Option<PathBuf>,
    /// Where the copy of the image streams is kept.
    pub state_dir: PathBuf,
    /// Where clones of git are put meanwhile; `$TMPDIR` unless told.
    pub temporary: PathBuf,
    /// Between two looks at files, and at a main configuration that comes by HTTP or git.
    pub look_interval: Duration,
    /// How long the start waits for the image streams before it takes the copy of an earlier run.
    pub first_wait: Duration,
    /// Lets messages that panic on purpose through: for tests alone.
    pub allow_debug_panic: bool,
}

impl ConfigWatching {
    /// With the defaults of everything else.
    pub fn new(configuration_url: impl Into<String>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            configuration_url: configuration_url.into(),
            variables_file: None,
            state_dir: state_dir.into(),
            temporary: std::env::temp_dir(),
            look_interval: LOOK_INTERVAL,
            first_wait: FIRST_WAIT,
            allow_debug_panic: false,
        }
    }
}
