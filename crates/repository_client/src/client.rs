//! A client: an address, who asks, how.

use repository::remote::Source;
use std::sync::Arc;

use crate::{Auth, ClientError, Options};

/// A client of one repository. Clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) source: Arc<Source>,
    pub(crate) auth: Auth,
    pub(crate) options: Arc<Options>,
}

impl Client {
    /// With the usual settings. `url` may carry `?channel=NAME`, which then goes with every call.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(url: &str, auth: Auth) -> Result<Self, ClientError> {
        Self::with_options(url, auth, Options::default())
    }

    /// With these settings.
    ///
    /// # Errors
    /// The address is none, or a setting cannot be used.
    pub fn with_options(url: &str, auth: Auth, options: Options) -> Result<Self, ClientError> {
        let source = Source::parse(url).map_err(ClientError::Address)?;
        let unusable = |what: &str| {
            let what = what.to_owned();
            move |error: reqwest::Error| ClientError::Options(format!("{what}: {error}"))
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(&options.user_agent)
            .connect_timeout(options.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .tls_danger_accept_invalid_certs(options.accepts_any_certificate);
        if !options.authorities.is_empty() {
            let authorities = reqwest::Certificate::from_pem_bundle(&options.authorities)
                .map_err(unusable("the authorities are no certificates in PEM"))?;
            if authorities.is_empty() {
                let what = "there is no certificate among the authorities";
                return Err(ClientError::Options(what.to_owned()));
            }
            builder = builder.tls_certs_merge(authorities);
        }
        if let Some(proxy) = options.proxy.as_deref().filter(|proxy| !proxy.is_empty()) {
            builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(unusable("the proxy is no address"))?);
        }
        Ok(Self {
            http: builder.build().map_err(unusable("cannot set up connections"))?,
            source: Arc::new(source),
            auth,
            options: Arc::new(options),
        })
    }

    /// The address, without channel.
    pub fn url(&self) -> &str {
        &self.source.base
    }

    /// The host it talks to, as it is understood when a connection is made.
    pub fn host(&self) -> Option<String> {
        let url = reqwest::Url::parse(&self.source.base).ok()?;
        url.host_str().map(str::to_owned)
    }

    /// The channel that goes with every call.
    pub fn channel(&self) -> Option<&str> {
        self.source.channel.as_deref()
    }

    /// The same client on another channel; `None` for the repository's default.
    #[must_use]
    pub fn on_channel(&self, channel: Option<String>) -> Self {
        let source = Source {
            base: self.source.base.clone(),
            channel,
        };
        Self {
            source: Arc::new(source),
            ..self.clone()
        }
    }

    /// Who asks.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The settings.
    pub fn options(&self) -> &Options {
        &self.options
    }
}
