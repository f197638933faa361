//! Figures of requests for Prometheus (imgapi-operations.md §10), on a port of their own: in dc mode, elsewhere only where `metricsAddress`
//! says so.

mod page;
mod requests;

pub(crate) use page::MetricsListening;
pub(crate) use requests::{Request, Requests};

use repository::configuration::Settings;
use repository::manifest::Mode;

/// Where the metrics are served, if they are. `metricsAddress` goes before `adminIp`; dc mode without both keeps to this host.
pub(crate) fn place(settings: &Settings) -> Option<(String, u16)> {
    let address = settings.own.metrics_address.clone();
    let address = match (address, settings.mode) {
        (Some(address), _) => address,
        (None, Mode::Datacenter) => settings
            .admin_address
            .clone()
            .unwrap_or_else(|| "127.0.0.1".to_owned()),
        (None, _) => return None,
    };
    Some((address, settings.own.metrics_port))
}
