//! What a verb works with: flags, connections, output.

use std::sync::Arc;

use image_client::{ImageServer, Selection};
use srpc::tls::ClientCredentials;
use srpc::{Client, ConnectOptions};
use tree_io::Cancel;

use crate::options::Options;
use crate::output::Output;

/// Everything one run of the program knows.
pub(crate) struct Session {
    pub(crate) options: Options,
    pub(crate) out: Output,
    pub(crate) cancel: Cancel,
    credentials: Option<Option<Arc<ClientCredentials>>>,
    server: Option<ImageServer>,
    master: Option<ImageServer>,
}

/// No connection; told without the verb's own words, as the original does.
#[derive(Debug, thiserror::Error)]
#[error("Error dialing: {0}")]
pub(crate) struct NotConnected(String);

/// What some verbs say without their own words before it, as the original does.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Bare(pub(crate) String);

impl Session {
    pub(crate) fn new(options: Options) -> Session {
        Session {
            options,
            out: Output::new(),
            cancel: Cancel::default(),
            credentials: None,
            server: None,
            master: None,
        }
    }

    /// Whether results are for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.options.json
    }

    /// The image server, connected to when first wanted.
    pub(crate) async fn server(&mut self) -> anyhow::Result<&mut ImageServer> {
        if self.server.is_none() {
            self.server = Some(ImageServer::new(self.connect().await?));
        }
        // Filled just above.
        self.server
            .as_mut()
            .ok_or_else(|| NotConnected("no connection".to_owned()).into())
    }

    /// For verbs marked M: the master server if one is named, else the image server.
    pub(crate) async fn master(&mut self) -> anyhow::Result<&mut ImageServer> {
        if !self.has_master() {
            return self.server().await;
        }
        if self.master.is_none() {
            let options = self.connect_options(self.options.master_image_server_hostname.clone())?;
            self.master = Some(ImageServer::new(connect(&options).await?));
        }
        self.master
            .as_mut()
            .ok_or_else(|| NotConnected("no connection".to_owned()).into())
    }

    /// Whether a master server is named.
    pub(crate) fn has_master(&self) -> bool {
        !self.options.master_image_server_hostname.is_empty()
    }

    /// A further connection to the image server, for bulk transfers.
    pub(crate) async fn connect(&mut self) -> anyhow::Result<Client> {
        let options = self.connect_options(self.options.image_server_hostname.clone())?;
        connect(&options).await
    }

    /// A connection for bulk transfers, which need not be a new one if nothing else is going on.
    pub(crate) async fn take_connection(&mut self) -> anyhow::Result<Client> {
        match self.server.take() {
            Some(server) => Ok(server.into_client()),
            None => self.connect().await,
        }
    }

    fn connect_options(&mut self, host: String) -> anyhow::Result<ConnectOptions> {
        let tls = self.credentials()?;
        let Options {
            image_server_port: port,
            connect_timeout,
            keep_alive_period,
            ..
        } = self.options;
        Ok(ConnectOptions {
            connect_timeout,
            keep_alive_period,
            proxy: self.options.proxy.clone(),
            do_not_use_method_powers: self.options.without_method_powers,
            ..ConnectOptions::new(format!("{host}:{port}")).with_tls(tls)
        })
    }

    fn credentials(&mut self) -> anyhow::Result<Option<Arc<ClientCredentials>>> {
        if let Some(credentials) = &self.credentials {
            return Ok(credentials.clone());
        }
        let directory = self.options.cert_directory.clone();
        let credentials = if directory.as_os_str().is_empty() {
            None
        } else {
            srpc::tls::load_directory(&directory)?
        };
        self.credentials = Some(credentials.clone());
        Ok(credentials)
    }

    /// The flags that select among images, for `directory`.
    pub(crate) fn selection(&self, directory: &str) -> anyhow::Result<Selection> {
        Ok(Selection {
            directory: directory.to_owned(),
            build_commit_id: self.options.build_commit_id.clone(),
            ignore_expiring: self.options.ignore_expiring,
            tags: image::tags::parse_match(self.options.tags_to_match.as_str())?,
        })
    }

    /// A message on standard error, if `-logDebugLevel` asks for that much.
    pub(crate) fn debug(&self, level: i64, text: impl FnOnce() -> String) {
        if level <= self.options.log_debug_level {
            let stamp = match (self.options.log_datestamps, self.options.log_subseconds) {
                (false, _) => String::new(),
                (true, subseconds) => crate::local_time::stamp(subseconds),
            };
            eprintln!("{stamp}{}", text());
        }
    }
}

async fn connect(options: &ConnectOptions) -> anyhow::Result<Client> {
    Client::connect(options)
        .await
        .map_err(|e| NotConnected(format!("{}: {e}", options.address)).into())
}
