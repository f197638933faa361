//! From flags to an open port, and back (`imageserver.md §8`).

use std::sync::Arc;

use crate::flags::Options;
use crate::state::{Shared, State};
use crate::{figures_over_time, metrics, pages, rpc};
use actors::ReplicationStatus;
use actors::replicator::LinkState;
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
use tokio::sync::watch;

/// Loads, serves, and returns when told to stop. Loading blocks for as long as it takes: before it nobody is listening.
pub(crate) fn run(daemon: Daemon) -> anyhow::Result<()> {
    let Daemon { table, values, logs } = daemon;
    let options = Options::of(&values)?;
    let port = values.port("portNum").map_err(anyhow::Error::msg)?;
    let address = listen_address(&values).map_err(anyhow::Error::msg)?;
    let credentials = load_credentials(&values)?;
    let figures = Metrics::install(table.program());
    figures.register_flags(&table, &values);

    let reloader = Arc::clone(&credentials.reloader);
    let client_tls: ClientTls = Arc::new(move || reloader.current().client.clone());
    let system = actors::start(options.actors_config(&client_tls)).context("Cannot load image database")?;
    let shared = State::new(options, &system);
    metrics::register(&figures, &shared);
    front::metrics::register_client_certificates(&figures, &credentials.reloader);
    let registry = Registry::builder()
        .service(rpc::image_server::service(&shared))
        .service(rpc::object_server::service(&shared))
        .service(logger_service::service(&logs))
        .build();
    let server = Server::new(registry, credentials.server.clone(), policy(&values));
    let site = site(&figures, &logs, &server, &shared);
    tracing::info!("Service ready, opening listener on port: {port}");
    let on_pages = Shared::clone(&shared);
    let listener = Listener::new(site, Arc::clone(&server), port)
        .address(address)
        .pages(move |app| pages::configure(&on_pages, app));
    let given_up = system.given_up();
    let failure = actix_rt::System::new().block_on(async move {
        tokio::spawn(keep_watchdog_quiet());
        tokio::spawn(
            credentials
                .reloader
                .run(Arc::clone(&server), server.draining().clone()),
        );
        serve(listener, given_up).await
    })?;
    system.stop();
    match failure {
        Some(cause) => bail!(cause),
        None => Ok(()),
    }
}

/// From the open port to the closed one; the reason if not because somebody asked.
async fn serve(
    listener: Listener,
    mut given_up: watch::Receiver<Option<String>>,
) -> anyhow::Result<Option<String>> {
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
    };
    notify_stopping();
    let cut_off = listening.stop(STOP_LIMIT).await;
    if cut_off > 0 {
        tracing::warn!("Stopping: {cut_off} calls had to be cut off");
    }
    Ok(failure)
}

fn site(
    figures: &Arc<Metrics>,
    logs: &front::logs::Logs,
    server: &Arc<Server>,
    shared: &Shared,
) -> Arc<Site> {
    let mut site = Site::new("imageserver", Arc::clone(figures), logs.clone())
        .link("/images", "images")
        .link("/compare", "compare")
        .link("/objects", "objects")
        .link("/replication", "replication")
        .link("/dashboards", "dashboards")
        .link("/listDamaged", "damage")
        .link("/metrics", "metrics")
        .link("/logs", "logs")
        .search("/search", "q", "images, tags, people")
        .with_history(figures_over_time::history(shared, server, figures));
    if server.is_insecure() {
        site = site.warning("Running in insecure mode: everybody who can reach this port may do everything");
    }
    let images = Shared::clone(shared);
    site.health()
        .check("image index", move || Condition::from(&images.images.health()));
    let objects = Shared::clone(shared);
    site.health()
        .check("object store", move || Condition::from(&objects.objects.health()));
    let scrubber = Shared::clone(shared);
    site.health()
        .check("scrubber", move || Condition::from(&scrubber.scrubber.health()));
    if let Some(replicator) = shared.replicator.clone() {
        site.health().check("replicator", move || {
            match Condition::from(&replicator.health()) {
                Condition::Healthy => link(&replicator.status()),
                other => other,
            }
        });
    }
    let quarantined = Shared::clone(shared);
    site.health().check("images", move || {
        match quarantined.images.snapshot().quarantined.len() {
            0 => Condition::Healthy,
            1 => Condition::Degraded("1 cannot be served".to_owned()),
            count => Condition::Degraded(format!("{count} cannot be served")),
        }
    });
    let damaged = Shared::clone(shared);
    site.health().check("objects", move || {
        match damaged.objects.statistics().damaged_objects {
            0 => Condition::Healthy,
            count => Condition::Degraded(format!("{count} damaged")),
        }
    });
    Arc::new(site)
}

/// A replica that has lost its master still serves what it has.
fn link(status: &ReplicationStatus) -> Condition {
    match status.state {
        LinkState::Listing | LinkState::CatchingUp | LinkState::Following => Condition::Healthy,
        LinkState::Connecting | LinkState::Waiting => Condition::Degraded(format!(
            "not connected to {}{}",
            status.upstream,
            status
                .last_error
                .as_ref()
                .map_or_else(String::new, |error| format!(": {error}"))
        )),
    }
}
