//! From the configuration to open ports, and back (imgapi-operations.md §6).

use std::path::PathBuf;
use std::sync::Arc;

use actors::image_jobs::Workroom;
use actors::repository_settings::{Restart, start as start_settings};
use actors::{Clock, RepositoryConfig, SettingsSystem, SettingsWatcher, start_repository};
use anyhow::{Context as _, bail};
use front::daemon::{Daemon, STOP_LIMIT, keep_watchdog_quiet, notify_ready, notify_stopping};
use front::logs::Logs;
use front::metrics::Metrics;
use front::site::Site;
use repository::configuration::Settings;
use repository::json;
use repository::manifest::Mode;
use tokio::sync::watch;

use crate::flags::configuration_of;
use crate::listener::{Certificate, Listening, listen};
use crate::log_socket::LogSocket;
use crate::metrics::{MetricsListening, place};
use crate::signals::{Asked, Signals};
use crate::state::{Shared, State};
use crate::{join, log_level, pages, restart};

/// Why it does not serve any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was told to stop.
    Stopped,
    /// The configuration says something that needs a new start.
    Restart,
}

/// Loads, serves, and returns when told to stop or when a restart is needed.
pub(crate) fn run(daemon: Daemon) -> anyhow::Result<End> {
    let logs = daemon.logs;
    // Before the actors: what they set while nobody keeps it is lost.
    let figures = Metrics::install("imgapi");
    let settings = start_settings(&configuration_of(&daemon.values), false)?;
    let watcher = settings.watcher().clone();
    log_level::set(&logs, &watcher.settings().load());
    tell(&watcher);
    let base = PathBuf::from(&watcher.settings().load().own.base);
    anyhow::ensure!(
        base.is_dir(),
        "there is no directory {}: make it for this user, or name another as baseDir",
        base.display()
    );
    let system = start_repository(RepositoryConfig {
        base: base.clone(),
        settings: watcher.settings(),
        clock: Clock::default(),
        allow_debug_panic: false,
    });
    let system = system.context("cannot start the repository")?;
    let site = Site::new("imgapi", Arc::clone(&figures), logs.clone());
    let site = pages::frame(site, &watcher.settings().load());
    let state = State::new(&system, watcher, site);
    let ended = actix_rt::System::new().block_on(async {
        tokio::spawn(keep_watchdog_quiet());
        // Before a port opens: whoever waited for it may stop us at once.
        let signals = Signals::catch()?;
        let users = state.clone();
        let room = Workroom::new(system.repository.clone(), settings.watcher().settings())
            .with_users(move || users.users());
        let room = join::furnish(room, &state.settings())?;
        let join = join::begin(&room, &system.jobs, &state.settings()).await?;
        if let Some(publisher) = join.publisher() {
            state.set_publisher(publisher);
        }
        let ports = Ports::open(&state, &figures)?;
        let socket = open_log(&base, &logs);
        notify_ready();
        let given_up = [Some(system.given_up()), join.given_up()];
        let ended = serve(&state, given_up, &settings, &logs, signals, &ports).await;
        // A service that says it stops is expected to end; one that starts again in place goes on.
        if !matches!(ended, Ok(End::Restart)) {
            notify_stopping();
        }
        drop(socket);
        ports.close().await;
        join.stop();
        ended
    });
    system.stop();
    ended
}

/// What the start is about: the configuration, secrets starred, and what stands for services of the original.
fn tell(watcher: &SettingsWatcher) {
    let configuration = watcher.configuration();
    let settings = configuration.settings();
    tracing::info!(
        configuration = json::compact(&configuration.censored()),
        "configuration {}",
        watcher.path().display()
    );
    let without_meaning = configuration.without_meaning();
    if !without_meaning.is_empty() {
        tracing::info!("these keys mean nothing here: {}", without_meaning.join(", "));
    }
    if settings.stores_in_manta {
        tracing::warn!(
            "storageTypes names an object store, and there is none here: new files are local, and those of images whose stor is manta cannot be sent"
        );
    }
    if settings.mode == Mode::Datacenter {
        let users = match &settings.own.users_file {
            Some(file) => format!("users are those of {file}"),
            None => "every owner exists".to_owned(),
        };
        tracing::info!("in place of the surrounding services: {users}; jobs run inside this process");
    }
}

/// Without it `imgapi logs` finds nothing, and everything else works.
fn open_log(base: &std::path::Path, logs: &Logs) -> Option<LogSocket> {
    let socket = LogSocket::open(base, logs);
    socket
        .inspect_err(|error| tracing::warn!("imgapi logs will not find this server: {error}"))
        .ok()
}

/// What is open.
struct Ports {
    api: Listening,
    metrics: Option<MetricsListening>,
    certificate: Option<Certificate>,
}

impl Ports {
    fn open(state: &Shared, figures: &Arc<Metrics>) -> anyhow::Result<Self> {
        let settings = state.settings();
        let certificate = settings.own.tls.as_ref().map(Certificate::load).transpose()?;
        let metrics = match place(&settings) {
            Some(place) => {
                let opened = MetricsListening::open(&place, state, figures);
                let failed = || format!("cannot serve metrics on {}:{}", place.0, place.1);
                Some(opened.with_context(failed)?)
            }
            None => None,
        };
        let api = listen(state, certificate.as_ref(), STOP_LIMIT)?;
        if let Some(metrics) = &metrics {
            tracing::info!("metrics on <http://{}/metrics>", metrics.address());
        }
        if let Some(address) = api.tls_address() {
            tracing::info!("Image API listening on <https://{address}>.");
        }
        tracing::info!("Image API listening on <http://{}>.", api.address());
        if let Some(certificate) = certificate.clone() {
            state.set_certificate(certificate.clone());
            tokio::spawn(certificate.keep(Shared::clone(state)));
        }
        Ok(Self {
            api,
            metrics,
            certificate,
        })
    }

    async fn close(self) {
        self.api.stop().await;
        if let Some(metrics) = self.metrics {
            metrics.stop().await;
        }
    }
}

/// Until something ends it.
async fn serve(
    state: &Shared,
    given_up: [Option<GivenUp>; 2],
    settings: &SettingsSystem,
    logs: &Logs,
    mut signals: Signals,
    ports: &Ports,
) -> anyhow::Result<End> {
    let watcher = settings.watcher();
    let (mut changes, mut restarts) = (watcher.changes(), watcher.restart());
    let [mut given_up, mut join_given_up] = given_up;
    let mut watcher_given_up = Some(settings.given_up());
    loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop(name) => {
                    tracing::info!("Stopping: {name}");
                    signals.end_at_next_stop();
                    return Ok(End::Stopped);
                }
                Asked::Reload => reload(state, watcher, ports).await,
            },
            cause = told(&mut given_up) => bail!(cause),
            cause = told(&mut watcher_given_up) => bail!(cause),
            cause = told(&mut join_given_up) => bail!(cause),
            // Ends with an error only when the watcher is gone, which outlives this.
            Ok(()) = changes.changed() => changed(state, logs, ports),
            wanted = wanted(&mut restarts) => match restart::check(&state.settings(), &wanted.settings) {
                Ok(()) => {
                    tracing::info!("Restarting for {}", wanted.keys.join(", "));
                    signals.end_at_next_stop();
                    return Ok(End::Restart);
                }
                Err(cause) => watcher.refuse_restart(format!(
                    "no restart for {}: {cause}; what was in force before stays in force",
                    wanted.keys.join(", ")
                )),
            },
        }
    }
}

/// Holds a text once an actor was given up.
type GivenUp = watch::Receiver<Option<String>>;

async fn told(given_up: &mut Option<GivenUp>) -> String {
    let Some(given_up) = given_up else {
        return std::future::pending().await;
    };
    match given_up
        .wait_for(Option::is_some)
        .await
        .map(|cause| cause.clone())
    {
        Ok(Some(cause)) => cause,
        // Whoever tells is gone, and nothing more will be told.
        _ => std::future::pending().await,
    }
}

async fn wanted(restarts: &mut watch::Receiver<Option<Arc<Restart>>>) -> Arc<Restart> {
    match restarts
        .wait_for(Option::is_some)
        .await
        .map(|wanted| wanted.clone())
    {
        Ok(Some(wanted)) => wanted,
        _ => std::future::pending().await,
    }
}

/// SIGHUP.
async fn reload(state: &Shared, watcher: &SettingsWatcher, ports: &Ports) {
    tracing::info!("SIGHUP: everything is read again");
    if let Err(error) = watcher.reload().await {
        tracing::error!("configuration: {error}");
    }
    state.key_ring().reload_soon();
    if let Some(certificate) = &ports.certificate {
        certificate.look_soon();
    }
}

/// Other settings are in force.
fn changed(state: &Shared, logs: &Logs, ports: &Ports) {
    let settings: Arc<Settings> = state.settings();
    log_level::set(logs, &settings);
    state.key_ring().reload_soon();
    if let Some(certificate) = &ports.certificate {
        certificate.look_soon();
    }
}
