//! One port for pages and SRPC (`srpc.md §1, §2`).
//!
//! Pages are an actix-web application. A CONNECT to an SRPC path, be it the first request of a connection or a later one,
//! takes the connection over. Nothing listens before [`Listener::start`], so a daemon that is still loading refuses
//! connections, as its clients expect.

mod figures;
pub mod limits;
mod socket;
mod srpc_paths;
mod upgrade;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive};
use actix_rt::net::TcpStream;
use actix_server::ServerHandle;
use actix_service::{fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, web};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::page::{headers, not_found, private};
use crate::site::Site;
use crate::{assets, health, history, logs, metrics};

/// How often the recorder of figures tidies up.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Why the port cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("Unable to create http server: listen tcp {address}: {source}")]
pub struct ListenError {
    address: String,
    source: io::Error,
}

type Configure = Arc<dyn Fn(&mut web::ServiceConfig) + Send + Sync>;

/// A port in the making.
pub struct Listener {
    site: Arc<Site>,
    server: Arc<srpc::Server>,
    address: Option<IpAddr>,
    port: u16,
    pages: Vec<Configure>,
}

/// An open port.
pub struct Listening {
    address: SocketAddr,
    site: Arc<Site>,
    server: Arc<srpc::Server>,
    handle: ServerHandle,
    ended: JoinHandle<io::Result<()>>,
}

impl Listener {
    /// The common pages of `site` and the services of `server`, on all addresses. Port 0 takes any free one.
    pub fn new(site: Arc<Site>, server: Arc<srpc::Server>, port: u16) -> Self {
        Self {
            site,
            server,
            address: None,
            port,
            pages: Vec::new(),
        }
    }

    /// Listens on this address only.
    pub fn address(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    /// Adds the daemon's own pages; they go before the common ones.
    pub fn pages(mut self, pages: impl Fn(&mut web::ServiceConfig) + Send + Sync + 'static) -> Self {
        self.pages.push(Arc::new(pages));
        self
    }

    /// Opens the port, serves it on threads of its own, and says that the daemon is ready. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`ListenError`] when the port cannot be had.
    pub fn start(self, stop_limit: Duration) -> Result<Listening, ListenError> {
        let shown = self.address.map_or_else(
            || format!(":{}", self.port),
            |address| SocketAddr::new(address, self.port).to_string(),
        );
        let failed = |source| ListenError {
            address: shown.clone(),
            source,
        };
        let listener = socket::listen_on(self.address, self.port).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        figures::register(self.site.metrics(), &self.server);
        let pages = Pages {
            site: Arc::clone(&self.site),
            server: Arc::clone(&self.server),
            own: self.pages.into(),
        };
        let workers = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .max(limits::WORKERS_LEAST);
        let running = actix_server::Server::build()
            .workers(workers)
            .max_concurrent_connections(limits::WORKER_CONNECTIONS_MOST)
            .shutdown_timeout(stop_limit.as_secs().max(1))
            .disable_signals()
            .listen("pages", listener, move || pages.service())
            .map_err(failed)?
            .run();
        let handle = running.handle();
        let ended = tokio::spawn(running);
        tokio::spawn(upkeep(
            Arc::clone(self.site.metrics()),
            self.server.draining().clone(),
        ));
        if let Some(history) = self.site.history().cloned() {
            let stop = self.server.draining().clone();
            tokio::spawn(async move { history.run(stop).await });
        }
        self.site.health().set_ready(true);
        Ok(Listening {
            address,
            site: self.site,
            server: self.server,
            handle,
            ended,
        })
    }
}

/// Lets the recorder of figures tidy up till the daemon stops.
async fn upkeep(metrics: Arc<metrics::Metrics>, stop: CancellationToken) {
    while tokio::time::timeout(UPKEEP_EVERY, stop.cancelled())
        .await
        .is_err()
    {
        metrics.upkeep();
    }
}

#[derive(Clone)]
struct Pages {
    site: Arc<Site>,
    server: Arc<srpc::Server>,
    own: Arc<[Configure]>,
}

impl Pages {
    fn configure(&self, config: &mut web::ServiceConfig) {
        for own in self.own.iter() {
            own(config);
        }
        health::configure(config);
        metrics::configure(config);
        history::configure(config);
        logs::configure(config);
        assets::configure(config);
        srpc_paths::configure(config);
    }

    /// What answers on one connection after the other, made once per worker.
    fn service(
        &self,
    ) -> impl actix_service::ServiceFactory<
        TcpStream,
        Config = (),
        Response = (),
        Error = actix_http::error::DispatchError,
        InitError = (),
    > + use<> {
        let pages = self.clone();
        let app = App::new()
            .app_data(web::Data::from(Arc::clone(&self.site)))
            .app_data(web::Data::from(Arc::clone(&self.server)))
            .app_data(web::PayloadConfig::new(limits::BODY_MOST_BYTES))
            .app_data(web::FormConfig::default().limit(limits::BODY_MOST_BYTES))
            .app_data(web::JsonConfig::default().limit(limits::BODY_MOST_BYTES))
            .wrap(Compress::default())
            .wrap(headers())
            .wrap(from_fn(private))
            .configure(move |config| pages.configure(config))
            .default_service(web::to(not_found));
        let server = Arc::clone(&self.server);
        let draining = server.draining().clone();
        HttpService::build()
            .keep_alive(KeepAlive::Timeout(limits::KEEP_ALIVE))
            .client_request_timeout(limits::HEAD_TIMEOUT)
            .client_disconnect_timeout(limits::DISCONNECT_TIMEOUT)
            // Without it small answers on kept connections stall for 40 ms.
            .tcp_nodelay(true)
            // Idle connections for pages would hold up a stop till their keep-alive is over.
            .graceful_shutdown_signal(move || draining.clone().cancelled_owned())
            .upgrade(fn_service(move |(request, framed)| {
                upgrade::serve(Arc::clone(&server), request, framed)
            }))
            .h1(map_config(app, |()| AppConfig::default()))
            .tcp()
    }
}

impl Listening {
    /// Where it listens; the port is the real one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, ends idle sessions and connections, lets running calls and pages finish for up to `limit`, then ends
    /// them. The limit given to [`Listener::start`] bounds the pages. Returns how many calls had to be cut off.
    pub async fn stop(self, limit: Duration) -> usize {
        self.site.health().set_ready(false);
        let (cut_off, ()) = tokio::join!(self.server.drain(limit), self.handle.stop(true));
        match self.ended.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the port did not close in order"),
            Err(error) => tracing::warn!(%error, "the port's task failed"),
        }
        cut_off
    }
}

#[cfg(test)]
#[path = "tests/listener.rs"]
mod tests;
