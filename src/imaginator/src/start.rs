//! From flags to an open port, and back (`imaginator.md §2`).

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use crate::flags::Options;
use crate::page_token::PageTokens;
use crate::state::{Shared, State};
use crate::wiring::{self, Parts};
use crate::{figures_over_time, metrics, pages, privileges, rpc};
use actors::BuilderSystem;
use actors::config_watcher::ConfigWatcherSystem;
use anyhow::{Context, bail};
use front::daemon::{
    ClientTls, Daemon, STOP_LIMIT, StopSignals, keep_watchdog_quiet, listen_address, load_credentials,
    notify_ready, notify_stopping, policy,
};
use front::health::Condition;
use front::listener::Listener;
use front::logger_service;
use front::metrics::Metrics;
use front::site::Site;
use srpc::{Registry, Server};

/// Loads, serves, and returns when told to stop.
pub(crate) fn run(daemon: Daemon) -> anyhow::Result<()> {
    let Daemon { table, values, logs } = daemon;
    privileges::check_umask()?;
    let options = Options::of(&values)?;
    let port = values.port("portNum").map_err(anyhow::Error::msg)?;
    let address = listen_address(&values).map_err(anyhow::Error::msg)?;
    let figures = Metrics::install(table.program());
    figures.register_flags(&table, &values);
    let credentials = load_credentials(&values)?;
    make_directory(&options.state_dir)?;
    let reloader = Arc::clone(&credentials.reloader);
    let client_tls: ClientTls = Arc::new(move || reloader.current().client.clone());
    let Parts {
        configuration,
        workshop,
        system,
    } = wiring::start(&options, &client_tls)?;
    let policy = policy(&values);
    let tokens = PageTokens::new().context("cannot make a key for page tokens")?;
    let trusted = policy.trusted.clone();
    let watcher = configuration.watcher().clone();
    let shared = State::new(options, &system, watcher.clone(), workshop, tokens, trusted);
    let registry = Registry::builder()
        .service(rpc::imaginator::service(&shared))
        .service(logger_service::service(&logs))
        .build();
    let server = Server::new(registry, credentials.server.clone(), policy);
    metrics::register(&figures, &shared);
    front::metrics::register_client_certificates(&figures, &credentials.reloader);
    let site = site(&figures, &logs, &server, &shared);
    site.health().check("configuration watcher", move || {
        Condition::from(&watcher.health())
    });
    tracing::info!("Service ready, opening listener on port: {port}");
    let on_pages = Shared::clone(&shared);
    let listener = Listener::new(site, Arc::clone(&server), port)
        .address(address)
        .pages(move |app| pages::configure(&on_pages, app));
    let failure = actix_rt::System::new().block_on(async move {
        tokio::spawn(keep_watchdog_quiet());
        tokio::spawn(
            credentials
                .reloader
                .run(Arc::clone(&server), server.draining().clone()),
        );
        serve(listener, configuration, system).await
    })?;
    match failure {
        Some(cause) => bail!(cause),
        None => Ok(()),
    }
}

/// From the open port to the closed one; the reason if not because somebody asked.
async fn serve(
    listener: Listener,
    configuration: ConfigWatcherSystem,
    system: BuilderSystem,
) -> anyhow::Result<Option<String>> {
    let mut given_up = system.given_up();
    let mut no_configuration = configuration.given_up();
    // Before the port opens: whoever waited for it may stop us at once.
    let signals = StopSignals::catch()?;
    let listening = listener.start(STOP_LIMIT)?;
    notify_ready();
    let failure = tokio::select! {
        signal = signals.wait() => {
            tracing::info!("Stopping: {}", signal.name());
            None
        }
        cause = given_up.wait_for(Option::is_some) => cause.ok().and_then(|cause| cause.clone()),
        cause = no_configuration.wait_for(Option::is_some) => cause.ok().and_then(|cause| cause.clone()),
    };
    notify_stopping();
    // Builds are cancelled while calls still run: whoever waits for one is told how it ended.
    let builds = tokio::task::spawn_blocking(move || system.stop());
    let cut_off = listening.stop(STOP_LIMIT).await;
    if cut_off > 0 {
        tracing::warn!("Stopping: {cut_off} calls had to be cut off");
    }
    builds.await.context("stopping the builds")?;
    drop(configuration);
    Ok(failure)
}

fn make_directory(path: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .with_context(|| format!("cannot make directory: {}", path.display()))
}

fn site(
    figures: &Arc<Metrics>,
    logs: &front::logs::Logs,
    server: &Arc<Server>,
    shared: &Shared,
) -> Arc<Site> {
    let mut site = Site::new("imaginator", Arc::clone(figures), logs.clone())
        .link("/showImageStreams", "streams")
        .link("/showDirectedGraph", "graph");
    if shared.archive.is_some() {
        site = site
            .link("/showBuildLogArchive", "archive")
            .search("/searchBuildLogs", "q", "build logs");
    }
    let site = site
        .link("/dashboards", "dashboards")
        .link("/metrics", "metrics")
        .link("/logs", "logs")
        .with_history(figures_over_time::history(shared, server, figures));
    let scheduler = shared.scheduler.clone();
    site.health()
        .check("scheduler", move || Condition::from(&scheduler.health()));
    if let Some(archive) = shared.archive.clone() {
        site.health()
            .check("log archive", move || Condition::from(&archive.health()));
    }
    let configuration = shared.configuration.clone();
    site.health().check("configuration", move || {
        let problems = configuration.current().problems();
        if problems.is_empty() {
            Condition::Healthy
        } else {
            Condition::Degraded(problems.join("; "))
        }
    });
    Arc::new(site)
}
