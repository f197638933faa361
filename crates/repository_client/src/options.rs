//! How a client connects and how long it waits.

use repository::Uuid;
use std::time::Duration;

/// Settings of a client. The defaults suit people and jobs alike.
#[derive(Clone, Debug)]
pub struct Options {
    /// Until a connection is made, TLS included.
    pub connect_timeout: Duration,
    /// Between two pieces of a transfer.
    pub idle_timeout: Duration,
    /// Until an answer begins, behind the last byte of the request.
    pub answer_timeout: Duration,
    /// The same for calls that make the repository fetch, copy or export a file before it answers.
    pub long_answer_timeout: Duration,
    /// Authorities that are trusted besides the host's own: certificates in PEM.
    pub authorities: Vec<u8>,
    /// Do not check certificates at all. For tests only, as `allowInsecure` of the repository's configuration.
    pub accepts_any_certificate: bool,
    /// Proxy for all connections; `None` for what the environment says.
    pub proxy: Option<String>,
    /// How the client names itself.
    pub user_agent: String,
    /// On whose behalf is asked: added to every call as `account`.
    pub account: Option<Uuid>,
    /// Passed on as `x-request-id`, so that the logs of two repositories can be laid side by side.
    pub request_id: Option<String>,
    /// How often a transfer without any progress is tried again.
    pub attempts: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(120),
            long_answer_timeout: Duration::from_secs(3600),
            authorities: Vec::new(),
            accepts_any_certificate: false,
            proxy: None,
            user_agent: concat!("imagewright/", env!("CARGO_PKG_VERSION")).to_owned(),
            account: None,
            request_id: None,
            attempts: 5,
        }
    }
}
