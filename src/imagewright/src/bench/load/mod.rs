//! Our own client as a source of load, the same for the servers of both sides: over TLS on TCP, as from another machine.

mod add_objects;
mod calls;
mod fleet;
mod get_objects;
pub(crate) mod http;
mod random;

pub(crate) use add_objects::{Batch, add_objects};
pub(crate) use calls::{Call, calls};
pub(crate) use fleet::{Fleet, fleet};
pub(crate) use get_objects::get_objects;
pub(crate) use random::Random;

use anyhow::ensure;
use srpc::tls::ClientCredentials;
use srpc::{Client, ConnectOptions};
use std::sync::Arc;

/// Where to, and as whom.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) port: u16,
    pub(crate) credentials: Arc<ClientCredentials>,
}

impl Target {
    /// A connection; an error if it is not TLS over TCP, since figures of another transport would not compare.
    pub(crate) async fn connect(&self) -> anyhow::Result<Client> {
        let options = ConnectOptions {
            unix_upgrade: false,
            ..ConnectOptions::new(format!("127.0.0.1:{}", self.port))
                .with_tls(Some(Arc::clone(&self.credentials)))
        };
        let client = Client::connect(&options).await?;
        ensure!(
            client.transport_kind() == Some("TLS"),
            "connected through {} instead of TLS",
            client.transport_kind().unwrap_or("nothing")
        );
        Ok(client)
    }

    /// So many connections.
    pub(crate) async fn connect_many(&self, count: usize) -> anyhow::Result<Vec<Client>> {
        let mut clients = Vec::with_capacity(count);
        for _ in 0..count {
            clients.push(self.connect().await?);
        }
        Ok(clients)
    }
}
