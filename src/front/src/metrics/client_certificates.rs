//! The times of the certificates that calls to other servers are made with (`srpc.md §14`).

use std::sync::Arc;
use std::time::SystemTime;

use srpc::tls::{CertificateSummary, KeyPair, Reloader};

use super::{Metrics, Unit, Value};

/// Registers them; where there are none, there are no values.
pub fn register_client_certificates(metrics: &Metrics, reloader: &Arc<Reloader>) {
    let pairs = |reloader: &Arc<Reloader>, pick: fn(&CertificateSummary) -> SystemTime| {
        let reloader = Arc::clone(reloader);
        move || {
            let client = reloader.current().client.clone()?;
            let summaries = client.pairs().iter().map(KeyPair::summary);
            let earliest = summaries.min_by_key(|summary| summary.not_after)?;
            Some(Value::from(pick(earliest)))
        }
    };
    metrics.register_optional(
        "/srpc/client/earliest-certificate-expiration",
        "when the certificate expires",
        Unit::None,
        pairs(reloader, |summary| summary.not_after),
    );
    metrics.register_optional(
        "/srpc/client/earliest-expiring-certificate-activation",
        "since when it is valid",
        Unit::None,
        pairs(reloader, |summary| summary.not_before),
    );
}
