//! From the configuration to an open port, and back (imgapi-operations.md §6).

use std::sync::Arc;

use actors::{RepositoryConfig, start_repository};
use anyhow::{Context as _, bail};
use front::daemon::{Daemon, STOP_LIMIT, StopSignals, keep_watchdog_quiet, notify_ready, notify_stopping};
use repository::configuration::Configuration;

use crate::interim::Interim;
use crate::listener::listen;
use crate::state::State;

/// Loads, serves, and returns when told to stop.
pub(crate) fn run(daemon: Daemon) -> anyhow::Result<()> {
    let path = daemon.values.path("f");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    let configuration =
        Configuration::read(&text).with_context(|| format!("configuration {}", path.display()))?;
    let settings = configuration.settings().clone();
    let interim = Interim::open(&settings).context("cannot read the repository")?;
    let config = RepositoryConfig::new(settings.own.base.clone().into(), settings);
    let settings = Arc::clone(&config.settings);
    let system = start_repository(config).context("cannot start the repository")?;
    let state = State::new(interim, &system, settings);
    let mut given_up = system.given_up();
    let failure = actix_rt::System::new().block_on(async move {
        tokio::spawn(keep_watchdog_quiet());
        // Before the port opens: whoever waited for it may stop us at once.
        let signals = StopSignals::catch()?;
        let listening = listen(&state, STOP_LIMIT)?;
        tracing::info!("Image API listening on <http://{}>.", listening.address());
        notify_ready();
        let failure = tokio::select! {
            signal = signals.wait() => {
                tracing::info!("Stopping: {}", signal.name());
                None
            }
            cause = given_up.wait_for(Option::is_some) => cause.ok().and_then(|cause| cause.clone()),
        };
        notify_stopping();
        listening.stop().await;
        anyhow::Ok(failure)
    })?;
    system.stop();
    match failure {
        Some(cause) => bail!(cause),
        None => Ok(()),
    }
}
