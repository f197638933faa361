//! The port: one connection after the other to [`dispatch`](crate::dispatch).

mod certificate;
pub(crate) mod tls;
mod wire;

pub(crate) use certificate::Certificate;
pub(crate) use wire::Wire;

use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{Extensions, HttpService, KeepAlive};
use actix_rt::net::TcpStream;
use actix_server::ServerHandle;
use actix_service::{ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, web};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_openssl::SslStream;
use tokio_util::sync::CancellationToken;

use crate::client::WithTls;
use crate::dispatch::serve;
use crate::state::{Shared, State};
use crate::{limits, pages};

/// Why the port cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub(crate) struct ListenError {
    address: String,
    source: io::Error,
}

/// An open port.
pub(crate) struct Listening {
    address: SocketAddr,
    tls_address: Option<SocketAddr>,
    handle: ServerHandle,
    draining: CancellationToken,
    ended: JoinHandle<io::Result<()>>,
}

/// Opens the port, serves it on threads of its own. Needs a tokio runtime.
///
/// # Errors
/// The port cannot be had.
pub(crate) fn listen(
    state: &Shared,
    certificate: Option<&Certificate>,
    stop_limit: Duration,
) -> Result<Listening, ListenError> {
    let settings = state.settings();
    let failed = |source| ListenError {
        address: format!("{}:{}", settings.address, settings.port),
        source,
    };
    let (listener, address) = bind(&settings.address, settings.port)?;
    let tls_port = settings.own.tls.as_ref().map(|tls| tls.port);
    let tls_bound = match (tls_port, certificate) {
        (Some(port), Some(certificate)) => Some((bind(&settings.address, port)?, certificate.clone())),
        _ => None,
    };
    let workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .max(limits::WORKERS_LEAST);
    let draining = CancellationToken::new();
    let (shared, stop) = (Shared::clone(state), draining.clone());
    let mut server = actix_server::Server::build()
        .workers(workers)
        .worker_max_blocking_threads(limits::BLOCKING_THREADS_MOST)
        .backlog(limits::BACKLOG_CONNECTIONS)
        .max_concurrent_connections(limits::WORKER_CONNECTIONS_MOST)
        .shutdown_timeout(stop_limit.as_secs().max(1))
        .disable_signals()
        .listen("images", listener, move || service(&shared, &stop))
        .map_err(failed)?;
    let mut tls_address = None;
    if let Some(((listener, address), certificate)) = tls_bound {
        tls_address = Some(address);
        let (shared, stop) = (Shared::clone(state), draining.clone());
        let make = move || tls_service(&shared, &stop, &certificate);
        server = server.listen("images-tls", listener, make).map_err(failed)?;
    }
    let running = server.run();
    Ok(Listening {
        address,
        tls_address,
        handle: running.handle(),
        draining,
        ended: tokio::spawn(running),
    })
}

fn bind(address: &str, port: u16) -> Result<(TcpListener, SocketAddr), ListenError> {
    let failed = |source| ListenError {
        address: format!("{address}:{port}"),
        source,
    };
    let listener = TcpListener::bind((address, port)).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// What answers on one connection with TLS after the other, made once per worker.
fn tls_service(
    state: &Shared,
    draining: &CancellationToken,
    certificate: &Certificate,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
{
    let http = http(state, draining, |_: &SslStream<TcpStream>, data| {
        data.insert(WithTls);
    });
    let current = certificate.current.clone();
    fn_service(move |stream: TcpStream| {
        let (current, peer) = (current.clone(), stream.peer_addr().ok());
        async move {
            // Without it small answers on kept connections stall for 40 ms. One that cannot be told so works all the same.
            let _ = stream.set_nodelay(true);
            match current.accept(stream).await {
                Ok(stream) => Ok((stream, peer)),
                Err(error) => {
                    tracing::debug!(peer = peer.map(tracing::field::display), "no TLS: {error}");
                    Err(DispatchError::Io(error))
                }
            }
        }
    })
    .and_then(http)
}

/// What answers on one connection after the other, made once per worker.
fn service(
    state: &Shared,
    draining: &CancellationToken,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
{
    let http = http(state, draining, |wire: &Wire, data| {
        data.insert(wire.clone());
    });
    fn_service(|stream: TcpStream| {
        let peer = stream.peer_addr().ok();
        ready(Ok((Wire::new(stream), peer)))
    })
    .and_then(http)
}

/// HTTP on connections of this kind; `note` puts into the data of each what requests have to know of it.
fn http<T, F>(
    state: &Shared,
    draining: &CancellationToken,
    note: F,
) -> impl ServiceFactory<
    (T, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
> + use<T, F>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    F: Fn(&T, &mut Extensions) + 'static,
{
    let state: web::Data<State> = web::Data::from(Shared::clone(state));
    let app = App::new()
        .service(pages::scope(&state))
        .app_data(state)
        .default_service(web::to(serve));
    let draining = draining.clone();
    HttpService::build()
        .on_connect_ext(note)
        .keep_alive(KeepAlive::Timeout(limits::KEEP_ALIVE))
        .client_request_timeout(limits::HEAD_TIMEOUT)
        .client_disconnect_timeout(limits::DISCONNECT_TIMEOUT)
        // Idle connections would hold up a stop till their keep-alive is over.
        .graceful_shutdown_signal(move || draining.clone().cancelled_owned())
        .h1(map_config(app, |()| AppConfig::default()))
}

impl Listening {
    /// Where it listens; the port is the real one.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens with TLS, if it does.
    pub(crate) fn tls_address(&self) -> Option<SocketAddr> {
        self.tls_address
    }

    /// Stops accepting, ends idle connections, and lets running requests finish within the limit given at the start.
    pub(crate) async fn stop(self) {
        self.draining.cancel();
        self.handle.stop(true).await;
        match self.ended.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the port did not close in order"),
            Err(error) => tracing::warn!(%error, "the port's task failed"),
        }
    }
}
