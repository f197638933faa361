//! The parts that build, put together: configuration, workshop, scheduler, archive.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::flags::{Network, Options};
use actors::config_watcher::{self, ConfigWatcher, ConfigWatcherSystem, ConfigWatching, Published};
use actors::stream_scheduler::{ManifestFetcher, ManifestUrl, Reload};
use actors::{Archiving, BuilderSystem, Scheduling, start_builder};
use anyhow::Context;
use builder::manifest::{ManyManifests, fetch_manifests};
use builder::{BuildLimits, ObjectCacheConfig, Workshop, WorkshopConfig};
use front::daemon::ClientTls;

/// Everything that builds.
pub(crate) struct Parts {
    pub(crate) configuration: ConfigWatcherSystem,
    pub(crate) workshop: Workshop,
    pub(crate) system: BuilderSystem,
}

/// How long fetching the manifests of one repository may take, when the dependencies are found out.
const MANIFESTS_TIME: Duration = Duration::from_secs(15 * 60);

/// Environment variable of tests: set to 1, it lets them make actors panic.
const TEST_PANIC: &str = "IMAGEWRIGHT_TEST_PANIC";

/// Starts everything that builds. Blocks while what an earlier run left behind is removed, the archive is loaded, and the variables file
/// and the main configuration are read.
pub(crate) fn start(options: &Options, client_tls: &ClientTls) -> anyhow::Result<Parts> {
    let workshop = Workshop::new(workshop_config(options, client_tls)).context("cannot build images")?;
    // Closed to others, and emptied by the next start however this process ends.
    let temporary = workshop.figures().temporary;
    let configuration = config_watcher::start(ConfigWatching {
        temporary: temporary.clone(),
        ..watching(options)
    })?;
    let watcher = configuration.watcher();
    let connect = options.outgoing.to(&options.image_server, client_tls);
    let scheduling = Scheduling {
        places: options.concurrent_builds,
        rebuild_interval: options.rebuild_interval.unwrap_or_default(),
        rebuild_bootstrap_streams: options.rebuild_bootstrap_streams,
        maximum_duration: options.build_duration_most,
        minimum_expiration: options.expiration.least,
        maximum_expiration: options.expiration.most,
        maximum_expiration_privileged: options.expiration.most_privileged,
        cancel_on_disconnect: options.cancel_on_disconnect,
        spool_dir: options.state_dir.clone(),
        reload: reload(watcher),
        manifests: Some(Arc::new(Manifests {
            published: watcher.published(),
            temporary,
        })),
        allow_debug_panic: may_panic(),
        ..Scheduling::new(watcher.published(), Arc::new(workshop.clone()), connect)
    };
    let archiving = options.build_log_dir.clone().map(|dir| Archiving {
        dir,
        quota_bytes: options.build_log_quota_bytes,
    });
    let system = start_builder(scheduling, archiving)?;
    Ok(Parts {
        configuration,
        workshop,
        system,
    })
}

/// Where the configuration is.
pub(crate) fn watching(options: &Options) -> ConfigWatching {
    ConfigWatching {
        variables_file: options.variables_file.clone(),
        allow_debug_panic: may_panic(),
        ..ConfigWatching::new(&options.configuration_url, &options.state_dir)
    }
}

/// Whether this process is under test.
pub(crate) fn may_panic() -> bool {
    std::env::var_os(TEST_PANIC).is_some_and(|value| value == "1")
}

/// Reads the image streams again because a name was not found.
fn reload(watcher: &ConfigWatcher) -> Reload {
    let watcher = watcher.clone();
    Arc::new(move || {
        let watcher = watcher.clone();
        Box::pin(async move {
            if let Err(error) = watcher.reload_streams().await {
                tracing::warn!("cannot read the image streams again: {error}");
            }
        })
    })
}

/// Fetches manifests for the dependencies.
struct Manifests {
    published: Published,
    /// Where repositories are put meanwhile.
    temporary: PathBuf,
}

impl ManifestFetcher for Manifests {
    fn fetch(&self, url: &ManifestUrl, log: &mut Vec<u8>) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let many = ManyManifests {
            url: &url.expanded,
            shown_url: &url.shown,
            directories: &url.directories,
            secrets: &self.published.current().secrets,
            temporary: &self.temporary,
            time: MANIFESTS_TIME,
        };
        fetch_manifests(&many, log).map_err(|error| error.to_string())
    }
}

fn workshop_config(options: &Options, client_tls: &ClientTls) -> WorkshopConfig {
    WorkshopConfig {
        // `imaginator.md §22`: `$TMPDIR`, or `/tmp`.
        temporary: std::env::temp_dir(),
        state_directory: options.state_dir.clone(),
        object_cache: options
            .object_cache_dir
            .clone()
            .map(|directory| ObjectCacheConfig {
                directory,
                most_bytes: options.object_cache_bytes,
            }),
        sandbox: sandbox::Command::new(),
        limits: BuildLimits {
            memory_bytes: options.build_memory_bytes,
            processes: Some(options.build_processes),
            file_bytes: None,
            disk_bytes: options.build_disk_bytes,
        },
        network: match options.build_network {
            Network::Host => sandbox::Network::Host,
            Network::Outside => sandbox::Network::Outside,
            Network::None => sandbox::Network::None,
        },
        connect: options.outgoing.to(&options.image_server, client_tls),
    }
}
