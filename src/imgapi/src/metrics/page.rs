//! The port of the figures.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use front::metrics::Metrics;
use repository::ApiError;

use super::requests::fixed_labels;
use crate::state::{Shared, State};

/// The form of Prometheus' text.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Connections it serves at once: those who read figures are few.
const CONNECTIONS_MOST: usize = 64;

/// The open port.
pub(crate) struct MetricsListening {
    address: SocketAddr,
    handle: ServerHandle,
}

impl MetricsListening {
    /// Opens it. Needs a tokio runtime.
    ///
    /// # Errors
    /// The port cannot be had.
    pub(crate) fn open(place: &(String, u16), state: &Shared, metrics: &Arc<Metrics>) -> io::Result<Self> {
        let listener = TcpListener::bind((place.0.as_str(), place.1))?;
        let address = listener.local_addr()?;
        let (state, metrics) = (Data::from(Arc::clone(state)), Data::from(Arc::clone(metrics)));
        let app = move || {
            App::new()
                .app_data(state.clone())
                .app_data(metrics.clone())
                .route("/metrics", web::get().to(page))
                .default_service(web::to(no_such_path))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .max_connections(CONNECTIONS_MOST)
            .disable_signals()
            .listen(listener)?
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, handle })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes it, whoever still reads.
    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}

async fn page(state: Data<State>, metrics: Data<Metrics>) -> HttpResponse {
    let settings = state.settings();
    let mut text = state.requests().text(&fixed_labels(&settings));
    metrics.upkeep();
    text += &metrics.prometheus_text();
    HttpResponse::Ok().content_type(TEXT).body(text)
}

/// As on the other port, but on one line, as the original has it here.
async fn no_such_path(request: HttpRequest) -> HttpResponse {
    let error = ApiError::no_such_path(request.path());
    HttpResponse::NotFound()
        .content_type("application/json")
        .body(repository::json::compact(&error.to_value()))
}
