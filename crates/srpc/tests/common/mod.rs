//! What the tests share: certificates, services, a server on loopback.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

pub mod certificates;
pub mod log;
pub mod services;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use srpc::server::listener;
use srpc::tls::{ClientCredentials, ServerTls};
use srpc::{Client, ConnectError, ConnectOptions, Policy, Registry, Server, UnixSocket};

/// Long enough for anything here; only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Running {
    pub server: Arc<Server>,
    pub address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn start(registry: Arc<Registry>, tls: Option<ServerTls>, policy: Policy) -> Self {
        let server = Server::new(registry, tls.map(Arc::new), policy);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = listener::spawn_thread(Arc::clone(&server), listener).unwrap();
        Self {
            server,
            address,
            thread: Some(thread),
        }
    }

    pub fn insecure() -> Self {
        Self::start(services::registry(), None, no_socket())
    }

    pub fn secure(tls: ServerTls) -> Self {
        Self::start(services::registry(), Some(tls), no_socket())
    }

    /// Options that stay on TCP.
    pub fn options(&self, tls: Option<&Arc<ClientCredentials>>) -> ConnectOptions {
        ConnectOptions {
            unix_upgrade: false,
            call_timeout: Some(PATIENCE),
            ..ConnectOptions::new(self.address.to_string()).with_tls(tls.cloned())
        }
    }

    pub async fn connect(&self, tls: Option<&Arc<ClientCredentials>>) -> Result<Client, ConnectError> {
        Client::connect(&self.options(tls)).await
    }

    /// A connection that has said its CONNECT and got its status line.
    pub fn raw(&self) -> std::net::TcpStream {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"CONNECT /_goSRPC_/ HTTP/1.0\n\n").unwrap();
        let mut status = [0; 35];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.0 200 Connected to Go SRPC\n\n");
        stream
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let server = Arc::clone(&self.server);
        // On a thread of its own: this may run inside another runtime.
        std::thread::spawn(move || runtime.block_on(server.drain(Duration::ZERO)))
            .join()
            .unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

pub fn no_socket() -> Policy {
    Policy {
        unix_socket: UnixSocket::Off,
        ..Policy::default()
    }
}

pub fn recording(name: &str, file: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
        .join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
