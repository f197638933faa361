//! From flags to an open port, and back (`imaginator.md §2`).

use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::flags::Options;
use crate::state::{Shared, State};
use crate::{pages, privileges};
use anyhow::{Context, bail};
use front::daemon::{
    Daemon, STOP_LIMIT, StopSignals, keep_watchdog_quiet, load_credentials, notify_ready, notify_stopping,
    policy,
};
use front::listener::Listener;
use front::logger_service;
use front::metrics::Metrics;
use front::site::Site;
use srpc::{Registry, Server};

/// Time between two rounds of forgetting what is old in distributions.
const METRICS_UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Loads, serves, and returns when told to stop.
pub(crate) fn run(daemon: Daemon) -> anyhow::Result<()> {
    let Daemon { table, values, logs } = daemon;
    privileges::check_umask()?;
    let options = Options::of(&values)?;
    let port = values.port("portNum").map_err(anyhow::Error::msg)?;
    let address = listen_address(values.string("listenAddress"))?;
    let figures = Metrics::install(table.program());
    figures.register_flags(&table, &values);
    let credentials = load_credentials(&values)?;
    make_directory(&options.state_dir)?;
    let shared = State::new(options);
    let registry = Registry::builder()
        .service(logger_service::service(&logs))
        .build();
    let server = Server::new(registry, credentials.server.clone(), policy(&values));
    let site = site(&figures, &logs);
    tracing::info!("Service ready, opening listener on port: {port}");
    let on_pages = Shared::clone(&shared);
    let listener = Listener::new(site, Arc::clone(&server), port)
        .address(address)
        .pages(move |app| pages::configure(&on_pages, app));
    let failure = actix_rt::System::new().block_on(async move {
        tokio::spawn(keep_up(figures));
        tokio::spawn(keep_watchdog_quiet());
        tokio::spawn(
            credentials
                .reloader
                .run(Arc::clone(&server), server.draining().clone()),
        );
        serve(listener).await
    })?;
    match failure {
        Some(cause) => bail!(cause),
        None => Ok(()),
    }
}

/// From the open port to the closed one; the reason if not because somebody asked.
async fn serve(listener: Listener) -> anyhow::Result<Option<String>> {
    // Before the port opens: whoever waited for it may stop us at once.
    let signals = StopSignals::catch()?;
    let listening = listener.start(STOP_LIMIT)?;
    notify_ready();
    let signal = signals.wait().await;
    tracing::info!("Stopping: {}", signal.name());
    notify_stopping();
    let cut_off = listening.stop(STOP_LIMIT).await;
    if cut_off > 0 {
        tracing::warn!("Stopping: {cut_off} calls had to be cut off");
    }
    Ok(None)
}

fn listen_address(text: &str) -> anyhow::Result<Option<IpAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .with_context(|| format!("-listenAddress={text}: give an IP address, or nothing for all"))
}

fn make_directory(path: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .with_context(|| format!("cannot make directory: {}", path.display()))
}

fn site(figures: &Arc<Metrics>, logs: &front::logs::Logs) -> Arc<Site> {
    let site = Site::new("imaginator", Arc::clone(figures), logs.clone())
        .link("/showImageStreams", "streams")
        .link("/showDirectedGraph", "graph")
        .link("/showBuildLogArchive", "archive")
        .link("/metrics", "metrics")
        .link("/logs", "logs");
    Arc::new(site)
}

/// Lets the figures forget what is old, as long as the process lives.
async fn keep_up(figures: Arc<Metrics>) {
    let mut ticks = tokio::time::interval(METRICS_UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        figures.upkeep();
    }
}
