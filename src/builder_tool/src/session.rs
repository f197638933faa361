//! What a verb works with: flags and connections.

use std::sync::Arc;

use gob::Gob;
use serde::Serialize;
use serde::de::DeserializeOwned;
use srpc::tls::ClientCredentials;
use srpc::{Client, ConnectOptions};

use crate::options::Options;

/// Everything one run of the program knows.
pub(crate) struct Session {
    pub(crate) options: Options,
    credentials: Option<Option<Arc<ClientCredentials>>>,
}

/// No connection; told without the verb's own words, as the original does.
#[derive(Debug, thiserror::Error)]
#[error("Error dialing: {0}")]
pub(crate) struct NotConnected(String);

impl Session {
    pub(crate) fn new(options: Options) -> Session {
        Session {
            options,
            credentials: None,
        }
    }

    /// A connection to the image builder.
    pub(crate) async fn imaginator(&mut self) -> anyhow::Result<Client> {
        let options = self.connect_options(&self.options.imaginator.clone())?;
        connect(&options).await
    }

    /// Whether the image server can be reached.
    pub(crate) async fn image_server(&mut self) -> anyhow::Result<Client> {
        let options = self.connect_options(&self.options.image_server.clone())?;
        connect(&options).await
    }

    /// One call of the service `Imaginator`.
    pub(crate) async fn call<Request, Reply>(
        &mut self,
        method: &str,
        request: &Request,
    ) -> anyhow::Result<Reply>
    where
        Request: Gob + Serialize + DeserializeOwned,
        Reply: Gob + Serialize + DeserializeOwned,
    {
        let mut client = self.imaginator().await?;
        Ok(client.call(&format!("Imaginator.{method}"), request).await?)
    }

    /// How to connect to the server at `HOST:PORT`.
    pub(crate) fn connect_options(&mut self, address: &str) -> anyhow::Result<ConnectOptions> {
        let tls = self.credentials()?;
        let Options {
            connect_timeout,
            keep_alive_period,
            ..
        } = self.options;
        Ok(ConnectOptions {
            connect_timeout,
            keep_alive_period,
            proxy: self.options.proxy.clone(),
            do_not_use_method_powers: self.options.without_method_powers,
            ..ConnectOptions::new(address).with_tls(tls)
        })
    }

    /// The certificates of the user; none is allowed.
    pub(crate) fn credentials(&mut self) -> anyhow::Result<Option<Arc<ClientCredentials>>> {
        if let Some(credentials) = &self.credentials {
            return Ok(credentials.clone());
        }
        let directory = &self.options.cert_directory;
        let credentials = if directory.as_os_str().is_empty() {
            None
        } else {
            srpc::tls::load_directory(directory)?
        };
        self.credentials = Some(credentials.clone());
        Ok(credentials)
    }
}

async fn connect(options: &ConnectOptions) -> anyhow::Result<Client> {
    Client::connect(options)
        .await
        .map_err(|error| NotConnected(format!("{}: {error}", options.address)).into())
}

/// An error that travelled in a reply.
pub(crate) fn refusal(text: impl std::fmt::Display) -> anyhow::Result<()> {
    let text = text.to_string();
    if text.is_empty() {
        Ok(())
    } else {
        Err(anyhow::Error::msg(text))
    }
}
