//! What the scheduler is told at the start.

use crate::Clock;
use builder::Engine;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config_watcher::Published;
use futures_util::future::BoxFuture;
use image_client::Connect;

/// Reads the streams again; ready when that is done.
pub type Reload = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Settings of the scheduler; the defaults are those of the flags (`imaginator.md §2.1`).
#[derive(Clone)]
pub struct Scheduling {
    /// What can be built, and the variables file.
    pub current: Published,
    /// Reads the streams again at once, if that is cheap, because a name was not found (`imaginator.md §5`).
    pub reload: Reload,
    /// What builds.
    pub engine: Arc<dyn Engine>,
    /// How to connect to the image server. Asked anew for each connection, since certificates are reloaded.
    pub connect: Connect,
    /// What the dependencies are made from; `None` for no dependencies.
    pub manifests: Option<Arc<dyn ManifestFetcher>>,
    /// Builds at a time.
    pub places: usize,
    /// From the start of a cycle of automatic rebuilds to the start of the next; zero for none.
    pub rebuild_interval: Duration,
    /// Bootstrap streams are rebuilt automatically, before those of the configuration.
    pub rebuild_bootstrap_streams: bool,
    /// Longest time the commands of a build may take; less than a second for a day.
    pub maximum_duration: Duration,
    /// Shortest life of an image that may be asked for.
    pub minimum_expiration: Duration,
    /// Longest life that may be asked for without method powers.
    pub maximum_expiration: Duration,
    /// Longest life that may be asked for with method powers; raised to the other.
    pub maximum_expiration_privileged: Duration,
    /// A build ends when nobody waits for it any more. Automatic ones always have somebody.
    pub cancel_on_disconnect: bool,
    /// Where logs that are too long for memory are spooled: an existing directory.
    pub spool_dir: PathBuf,
    /// By which intervals, expiries and disabled times are counted.
    pub clock: Clock,
    /// How often that clock is looked at.
    pub look_at_clock: Duration,
    /// From a cancel to the moment the build is reported although it has not ended.
    pub cancel_grace: Duration,
    /// From the start to the first automatic cycle.
    pub first_cycle_pause: Duration,
    /// Lets messages that panic on purpose through: for tests alone.
    pub allow_debug_panic: bool,
}

impl Scheduling {
    /// With the defaults, a place for each processor, and no way to read streams again.
    pub fn new(current: Published, engine: Arc<dyn Engine>, connect: Connect) -> Scheduling {
        let hour = Duration::from_secs(3600);
        Scheduling {
            current,
            reload: Arc::new(|| Box::pin(std::future::ready(()))),
            engine,
            connect,
            manifests: None,
            places: std::thread::available_parallelism().map_or(1, usize::from),
            rebuild_interval: hour,
            rebuild_bootstrap_streams: true,
            maximum_duration: 24 * hour,
            minimum_expiration: hour / 4,
            maximum_expiration: 24 * hour,
            maximum_expiration_privileged: 730 * hour,
            cancel_on_disconnect: false,
            spool_dir: std::env::temp_dir(),
            clock: Clock::default(),
            look_at_clock: Duration::from_secs(1),
            cancel_grace: Duration::from_secs(60),
            first_cycle_pause: Duration::from_secs(1),
            allow_debug_panic: false,
        }
    }
}

impl fmt::Debug for Scheduling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Scheduling")
            .field("places", &self.places)
            .field("rebuild_interval", &self.rebuild_interval)
            .finish_non_exhaustive()
    }
}

/// Fetches the manifests of a repository, for the dependencies. Blocks; called from several threads at a time.
pub trait ManifestFetcher: Send + Sync + 'static {
    /// Brings what the repository or directory at this URL has in files named `manifest` on the default branch, in the wanted
    /// directories. The URL is expanded, and may hold secrets: no error and no log has it. What is told on the way goes to `log`.
    fn fetch(&self, url: &ManifestUrl, log: &mut Vec<u8>) -> Result<Manifests, String>;
}

/// Where manifests are.
#[derive(Clone, PartialEq, Eq)]
pub struct ManifestUrl {
    /// As configured, for logs.
    pub shown: String,
    /// With variables and secrets.
    pub expanded: String,
    /// Directories that are wanted; empty for the top.
    pub directories: BTreeSet<String>,
}

/// Texts of files named `manifest`, by their directory: empty for the top.
pub type Manifests = std::collections::BTreeMap<String, Vec<u8>>;
