//! What the flags say, with the bounds of `imaginator.md §2.1`.

use std::path::PathBuf;
use std::time::Duration;

use super::memory;
use flags::Values;
use front::daemon::Outgoing;

/// What stands for the state directory in the default of `-objectCacheDir`.
const STATE_DIR: &str = "STATE_DIR/";

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What the image builder's own flags say.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) configuration_url: String,
    pub(crate) variables_file: Option<PathBuf>,
    pub(crate) state_dir: PathBuf,
    /// `HOST:PORT`.
    pub(crate) image_server: String,
    /// `HOST:PORT` for links of pages.
    pub(crate) presentation_image_server: String,
    /// `None` for no automatic rebuilds but those asked for.
    pub(crate) rebuild_interval: Option<Duration>,
    pub(crate) rebuild_bootstrap_streams: bool,
    /// At least 1.
    pub(crate) concurrent_builds: usize,
    /// `None` for no limit.
    pub(crate) concurrent_builds_per_user: Option<usize>,
    pub(crate) build_duration_most: Duration,
    pub(crate) expiration: Expiration,
    pub(crate) cancel_on_disconnect: bool,
    /// `None` for no cache.
    pub(crate) object_cache_dir: Option<PathBuf>,
    pub(crate) object_cache_bytes: u64,
    pub(crate) build_memory_bytes: Option<u64>,
    pub(crate) build_processes: u64,
    pub(crate) build_disk_bytes: Option<u64>,
    pub(crate) build_network: Network,
    /// `None` for no archive.
    pub(crate) build_log_dir: Option<PathBuf>,
    pub(crate) build_log_quota_bytes: u64,
    pub(crate) outgoing: Outgoing,
}

/// Life times that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expiration {
    pub(crate) least: Duration,
    pub(crate) most: Duration,
    pub(crate) most_privileged: Duration,
}

/// What commands of a build reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Host,
    Outside,
    None,
}

/// The smallest quota with which build logs are archived is above this.
const ARCHIVE_QUOTA_BYTES: u64 = 1 << 20;

impl Options {
    /// Takes what concerns the image builder out of all values.
    pub(crate) fn of(values: &Values) -> anyhow::Result<Self> {
        let port = values.port("imageServerPortNum").map_err(anyhow::Error::msg)?;
        let host = values.string("imageServerHostname");
        let presented =
            Some(values.string("presentationImageServerHostname")).filter(|host| !host.is_empty());
        let state_dir = values.path("stateDir");
        let interval = values.duration("imageRebuildInterval");
        let build_duration = values.duration("maximumBuildDuration");
        let quota = values.size("buildLogQuota");
        Ok(Self {
            configuration_url: values.string("configurationUrl").to_owned(),
            variables_file: path(values.string("variablesFile")),
            image_server: format!("{host}:{port}"),
            presentation_image_server: format!("{}:{port}", presented.unwrap_or(host)),
            rebuild_interval: (!interval.is_zero()).then_some(interval),
            rebuild_bootstrap_streams: values.boolean("autoRebuildBootstrapStreams"),
            concurrent_builds: concurrent_builds(values.unsigned("maximumConcurrentBuilds")),
            concurrent_builds_per_user: limit(values.unsigned("maximumConcurrentBuildsPerUser"))
                .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            build_duration_most: if build_duration < Duration::from_secs(1) {
                DAY
            } else {
                build_duration
            },
            expiration: Expiration::of(values),
            cancel_on_disconnect: values.boolean("cancelOnDisconnect"),
            object_cache_dir: match values.string("objectCacheDir").strip_prefix(STATE_DIR) {
                Some(below) => Some(state_dir.join(below)),
                None => path(values.string("objectCacheDir")),
            },
            object_cache_bytes: values.size("objectCacheSize"),
            build_memory_bytes: if values.is_set("buildMemoryLimit") {
                limit(values.size("buildMemoryLimit"))
            } else {
                memory::usual()
            },
            build_processes: values.unsigned("buildProcessLimit"),
            build_disk_bytes: limit(values.size("buildDiskLimit")),
            build_network: Network::of(values.string("buildNetwork")),
            build_log_dir: path(values.string("buildLogDir")).filter(|_| quota > ARCHIVE_QUOTA_BYTES),
            build_log_quota_bytes: quota,
            outgoing: Outgoing::of(values).map_err(anyhow::Error::msg)?,
            state_dir,
        })
    }
}

impl Expiration {
    fn of(values: &Values) -> Self {
        let most = values.duration("maximumExpirationDuration");
        Self {
            least: match values.duration("minimumExpirationDuration") {
                Duration::ZERO => 15 * MINUTE,
                least if least < Duration::from_secs(15) => 5 * MINUTE,
                least => least,
            },
            most,
            most_privileged: values.duration("maximumExpirationDurationPrivileged").max(most),
        }
    }
}

impl Network {
    fn of(word: &str) -> Self {
        match word {
            "outside" => Self::Outside,
            "none" => Self::None,
            _ => Self::Host,
        }
    }
}

fn path(text: &str) -> Option<PathBuf> {
    Some(text).filter(|text| !text.is_empty()).map(PathBuf::from)
}

/// Zero is none.
fn limit(number: u64) -> Option<u64> {
    Some(number).filter(|&number| number > 0)
}

fn concurrent_builds(asked: u64) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, Into::into);
    match usize::try_from(asked) {
        Ok(0) | Err(_) => processors(),
        Ok(number) => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        let arguments = arguments.iter().map(|&argument| argument.to_owned());
        Options::of(&crate::flags::table().parse(arguments).or_leave()).unwrap()
    }

    #[test]
    fn a_build_has_a_limit_of_memory_unless_it_is_said_to_have_none() {
        assert_eq!(options(&[]).build_memory_bytes, memory::usual());
        assert_eq!(options(&["-buildMemoryLimit=0"]).build_memory_bytes, None);
        let given = options(&["-buildMemoryLimit=3GiB"]);
        assert_eq!(given.build_memory_bytes, Some(3 << 30));
    }

    #[test]
    fn values_out_of_bounds_become_what_the_specification_says() {
        let plain = options(&[]);
        assert_eq!(plain.rebuild_interval, Some(Duration::from_secs(3600)));
        assert_eq!(plain.object_cache_dir, Some("/var/lib/imaginator/objects".into()));
        assert_eq!(plain.build_log_dir, Some("/var/log/imaginator/builds".into()));
        let odd = options(&[
            "-imageRebuildInterval=0",
            "-maximumBuildDuration=100ms",
            "-minimumExpirationDuration=3s",
            "-maximumExpirationDuration=48h",
            "-maximumExpirationDurationPrivileged=1h",
            "-maximumConcurrentBuildsPerUser=0",
            "-stateDir=/x",
            "-buildLogQuota=1MiB",
        ]);
        assert_eq!(odd.rebuild_interval, None);
        assert_eq!(odd.build_duration_most, DAY);
        assert_eq!(odd.expiration.least, 5 * MINUTE);
        assert_eq!(odd.expiration.most_privileged, 2 * DAY);
        assert_eq!(odd.concurrent_builds_per_user, None);
        assert_eq!(odd.object_cache_dir, Some("/x/objects".into()));
        assert_eq!(odd.build_log_dir, None);
        assert_eq!(
            options(&["-minimumExpirationDuration=0s"]).expiration.least,
            15 * MINUTE
        );
        assert_eq!(options(&["-objectCacheDir="]).object_cache_dir, None);
    }

    #[test]
    fn links_of_pages_may_name_another_host_with_the_same_port() {
        let plain = options(&["-imageServerHostname=a", "-imageServerPortNum=1"]);
        assert_eq!(plain.presentation_image_server, "a:1");
        let other = options(&["-imageServerPortNum=1", "-presentationImageServerHostname=b"]);
        assert_eq!(
            (
                other.image_server.as_str(),
                other.presentation_image_server.as_str()
            ),
            ("localhost:1", "b:1")
        );
    }
}
