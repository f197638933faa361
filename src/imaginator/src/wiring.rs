//! The parts that build, put together: configuration, workshop, scheduler, archive.

use std::path::PathBuf;
use std::sync::Arc;

use crate::flags::{Network, Options};
use actors::config_watcher::{self, ConfigWatcher, ConfigWatcherSystem, ConfigWatching};
use actors::stream_scheduler::Reload;
use actors::{Archiving, BuilderSystem, Scheduling, start_builder};
use anyhow::Context;
use builder::{BuildLimits, ObjectCacheConfig, Workshop, WorkshopConfig};
use front::daemon::ClientTls;

/// Everything that builds.
pub(crate) struct Parts {
    pub(crate) configuration: ConfigWatcherSystem,
    pub(crate) workshop: Workshop,
    pub(crate) system: BuilderSystem,
}

/// Set to anything, it lets tests make actors panic.
const TEST_PANIC: &str = "IMAGEWRIGHT_TEST_PANIC";

/// Starts everything that builds. Blocks while what an earlier run left behind is removed, the archive is loaded, and the variables file
/// and the main configuration are read.
pub(crate) fn start(options: &Options, client_tls: &ClientTls) -> anyhow::Result<Parts> {
    let configuration = config_watcher::start(watching(options))?;
    let watcher = configuration.watcher();
    let workshop = Workshop::new(workshop_config(options, client_tls)).context("cannot build images")?;
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
        allow_debug_panic: std::env::var_os(TEST_PANIC).is_some(),
        ..ConfigWatching::new(&options.configuration_url, &options.state_dir)
    }
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

fn workshop_config(options: &Options, client_tls: &ClientTls) -> WorkshopConfig {
    WorkshopConfig {
        temporary: temporary_directory(),
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

/// `$TMPDIR`, or `/tmp` (`imaginator.md §22`).
fn temporary_directory() -> PathBuf {
    std::env::temp_dir()
}
