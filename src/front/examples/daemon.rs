//! The smallest daemon there is: the common pages, the Logger service, and one method that waits.
//!
//! `cargo run --example daemon -- -logDir= -portNum=8080 -permitInsecureMode -CAfile= -generateMissingWebcert`, then
//! look at http://localhost:8080/.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use flags::Table;
use front::daemon::{self, Daemon, STOP_LIMIT, StopSignals, listen_address};
use front::listener::Listener;
use front::logger_service;
use front::metrics::Metrics;
use front::page::Page;
use front::site::Site;
use protocol::logger::{PrintRequest, PrintResponse};
use srpc::{Call, MethodError, Registry, RequestReply, ServiceBuilder};
use tokio_util::sync::CancellationToken;

struct Wait;

impl RequestReply for Wait {
    const NAME: &'static str = "Wait";
    type Request = PrintRequest;
    type Reply = PrintResponse;

    async fn call(&self, _: &Call, _: PrintRequest) -> Result<PrintResponse, MethodError> {
        tracing::info!("waiting");
        std::future::pending().await
    }
}

#[tokio::main]
async fn main() {
    let table = Table::daemon("front-example", "shows what all daemons share")
        .flags(daemon::common_flags("front-example", 8080));
    let daemon = Daemon::begin(table, Some("Do not run the example as root"));
    if let Err(error) = run(&daemon).await {
        daemon.logs.fatal(&error.to_string());
    }
    daemon.logs.flush();
}

async fn run(daemon: &Daemon) -> Result<(), Box<dyn std::error::Error>> {
    let values = &daemon.values;
    let metrics = Metrics::install("front_example");
    metrics.register_flags(&daemon.table, values);
    let credentials = daemon::load_credentials(values)?;
    let mut site = Site::new("front-example", metrics, daemon.logs.clone())
        .link("/metrics/", "metrics")
        .link("/logs", "logs");
    if credentials.server.is_none() {
        site = site.warning("insecure mode: everybody may do everything");
    }
    let registry = Registry::builder()
        .service(logger_service::service(&daemon.logs))
        .service(ServiceBuilder::new("Example").request_reply(Wait))
        .build();
    let server = srpc::Server::new(registry, credentials.server, daemon::policy(values));
    let stop_reloading = CancellationToken::new();
    tokio::spawn(
        credentials
            .reloader
            .run(Arc::clone(&server), stop_reloading.clone()),
    );

    let signals = StopSignals::catch()?;
    let address = listen_address(values)?;
    let listening = Listener::new(Arc::new(site), server, values.port("portNum")?)
        .address(address)
        .pages(|config| {
            config.service(web::resource("/").to(front_page));
        })
        .start(STOP_LIMIT)?;
    tracing::info!("Service ready, listening on: {}", listening.address());
    daemon::notify_ready();

    let signal = signals.wait().await;
    tracing::info!("stopping because of {}", signal.name());
    daemon::notify_stopping();
    stop_reloading.cancel();
    let cut_off = listening.stop(STOP_LIMIT).await;
    tracing::info!("stopped, {cut_off} calls cut off");
    Ok(())
}

async fn front_page(site: web::Data<Site>) -> HttpResponse {
    let body = format!("<h2>Log</h2>{}", front::logs::recent_html(site.logs()));
    Page::new(&site, "front-example status page").body(body).respond()
}
