//! A whole daemon's front on a free port, for the tests of this crate.

mod authority;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use srpc::{Access, Call, MethodError, Policy, Registry, RequestReply, ServiceBuilder, UnixSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

pub(crate) use authority::Authority;

use crate::listener::{Listener, Listening};
use crate::logger_service;
use crate::logs::Logs;
use crate::metrics::Metrics;
use crate::page::{Cell, Column, Page, Table};
use crate::site::Site;

/// Far more than anything here takes; only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Front {
    pub(crate) site: Arc<Site>,
    pub(crate) server: Arc<srpc::Server>,
    pub(crate) listening: Listening,
    pub(crate) address: SocketAddr,
    /// `Test.Slow` has been entered.
    pub(crate) entered: Arc<Semaphore>,
    /// Lets one `Test.Slow` return.
    pub(crate) leave: Arc<Semaphore>,
}

/// A method that waits till the test lets it go.
struct Slow {
    entered: Arc<Semaphore>,
    leave: Arc<Semaphore>,
}

impl RequestReply for Slow {
    const NAME: &'static str = "Slow";
    type Request = protocol::logger::PrintRequest;
    type Reply = protocol::logger::PrintResponse;

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    async fn call(&self, _: &Call, _: Self::Request) -> Result<Self::Reply, MethodError> {
        self.entered.add_permits(1);
        self.leave.acquire().await?.forget();
        Ok(protocol::logger::PrintResponse {})
    }
}

impl Front {
    pub(crate) fn start() -> Self {
        Self::start_with(Logs::in_memory(), None)
    }

    pub(crate) fn start_with(logs: Logs, tls: Option<Arc<srpc::tls::ServerTls>>) -> Self {
        let entered = Arc::new(Semaphore::new(0));
        let leave = Arc::new(Semaphore::new(0));
        let slow = Slow {
            entered: Arc::clone(&entered),
            leave: Arc::clone(&leave),
        };
        let registry = Registry::builder()
            .service(logger_service::service(&logs))
            .service(ServiceBuilder::new("Test").request_reply(slow))
            .build();
        let policy = Policy {
            unix_socket: UnixSocket::Off,
            ..Policy::default()
        };
        let server = srpc::Server::new(registry, tls, policy);
        let metrics = Metrics::new("imageserver");
        metrics.register(
            "/image-count",
            "number of images",
            crate::metrics::Unit::None,
            || 3_u64,
        );
        let site = Site::new("imageserver", metrics, logs)
            .link("/listImages", "images")
            .link("/metrics/", "metrics")
            .link("/logs", "logs")
            .search("/search", "q", "name, tag or builder");
        let site = Arc::new(site);
        let listening = Listener::new(Arc::clone(&site), Arc::clone(&server), 0)
            .address(Some([127, 0, 0, 1].into()))
            .pages(|config| {
                config.service(actix_web::web::resource("/listImages").to(list_images));
            })
            .start(PATIENCE)
            .unwrap();
        let address = listening.address();
        Self {
            site,
            server,
            listening,
            address,
            entered,
            leave,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// One request on a connection of its own; the whole answer.
    pub(crate) async fn get(&self, target: &str) -> String {
        self.get_with(target, "").await
    }

    /// The same with more header lines, each ending in CRLF.
    pub(crate) async fn get_with(&self, target: &str, headers: &str) -> String {
        let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n");
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&read_to_end(&mut stream).await).into_owned()
    }
}

pub(crate) async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    answer
}

/// Reads exactly these bytes.
pub(crate) async fn expect(stream: &mut TcpStream, expected: &str) {
    let mut answer = vec![0; expected.len()];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), expected);
}

/// The body of an answer without transfer coding.
pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

async fn list_images(
    request: actix_web::HttpRequest,
    site: actix_web::web::Data<Site>,
) -> actix_web::HttpResponse {
    let columns = [
        Column::text("Name"),
        Column::number("Data Size"),
        Column::text("Created"),
        Column::text("Checksum"),
    ];
    let mut table = Table::new(columns).text_columns([0]);
    for number in 0..14_u64 {
        let name = format!("base/debian-12/2026-11-{:02}:07", number + 1);
        table.push([
            Cell::link(format!("/showImage?{name}"), name),
            Cell::bytes((number + 1) * 189_000_000),
            Cell::time("2026-11-22T05:00:00Z".parse().ok()),
            Cell::hash("48abd8".repeat(21)),
        ]);
    }
    let page = Page::new(&site, "images")
        .crumb("/listImages", "images")
        .command("imagetool list");
    table.respond(request.query_string(), page)
}
