//! How a daemon connects to other daemons (`srpc.md §8.1`).

use std::sync::Arc;
use std::time::Duration;

use flags::Values;
use srpc::ConnectOptions;
use srpc::tls::ClientCredentials;

/// Gives the certificates to connect to other servers with, as of the moment.
pub type ClientTls = Arc<dyn Fn() -> Option<Arc<ClientCredentials>> + Send + Sync>;

/// Gives the options of a connection to one server, with the certificates of the moment.
pub type Connect = Arc<dyn Fn() -> ConnectOptions + Send + Sync>;

/// The flags that say how connections to other servers are made.
#[derive(Clone, Debug)]
pub struct Outgoing {
    proxy: Option<srpc::Proxy>,
    connect_timeout: Duration,
    keep_alive_period: Duration,
    do_not_use_method_powers: bool,
}

impl Outgoing {
    /// From the common flags.
    ///
    /// # Errors
    /// The sentence for the user when `-srpcProxy` is no proxy.
    pub fn of(values: &Values) -> Result<Self, String> {
        Ok(Self {
            proxy: srpc::Proxy::parse(values.string("srpcProxy"))
                .map_err(|error| format!("-srpcProxy: {error}"))?,
            connect_timeout: values.duration("srpcDefaultConnectTimeout"),
            keep_alive_period: values.duration("srpcDefaultKeepAlivePeriod"),
            do_not_use_method_powers: values.boolean("srpcClientDoNotUseMethodPowers"),
        })
    }

    /// To the server at `HOST:PORT`.
    pub fn to(&self, address: &str, client_tls: &ClientTls) -> Connect {
        let (outgoing, address, client_tls) = (self.clone(), address.to_owned(), Arc::clone(client_tls));
        Arc::new(move || ConnectOptions {
            proxy: outgoing.proxy.clone(),
            dial_timeout: outgoing.connect_timeout,
            connect_timeout: outgoing.connect_timeout,
            keep_alive_period: outgoing.keep_alive_period,
            do_not_use_method_powers: outgoing.do_not_use_method_powers,
            ..ConnectOptions::new(address.clone()).with_tls(client_tls())
        })
    }
}
