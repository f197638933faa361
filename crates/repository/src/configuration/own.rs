//! Settings that the original does not have.

use crate::configuration::settings::Reader;
use crate::json::Value;
use std::net::IpAddr;

/// Where TLS is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Port to listen on.
    pub port: u16,
    /// File of the certificate and what it is signed by.
    pub certificate: String,
    /// File of the private key.
    pub key: String,
}

/// Settings of this program only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSettings {
    /// Directory of manifests, files and keys.
    pub base: String,
    /// TLS, if it is spoken here and not by a proxy.
    pub tls: Option<Tls>,
    /// Proxies that are believed about who asks.
    pub trusted_proxies: Vec<IpAddr>,
    /// Address of the metrics; `None` for that of dc mode, or none.
    pub metrics_address: Option<String>,
    /// Port of the metrics.
    pub metrics_port: u16,
    /// Table of users.
    pub users_file: Option<String>,
    /// Whether signatures over SHA-1 are accepted.
    pub accept_sha1: bool,
    /// Whether images that are not active are hidden from those who do not sign.
    pub hide_inactive: bool,
}

impl OwnSettings {
    pub(crate) fn new(read: &mut Reader<'_>) -> Self {
        Self {
            base: read.text("baseDir").unwrap_or_default(),
            tls: tls(read),
            trusted_proxies: proxies(read),
            metrics_address: read.text("metricsAddress"),
            metrics_port: read.port("metricsPort").unwrap_or_default(),
            users_file: read.text("usersFile"),
            accept_sha1: read.boolean("acceptSha1Signatures"),
            hide_inactive: read.boolean("hideInactiveImages"),
        }
    }
}

fn tls(read: &mut Reader<'_>) -> Option<Tls> {
    let port = read.port("tlsPort");
    let (certificate, key) = (read.text("tlsCertificate"), read.text("tlsKey"));
    match (port, certificate) {
        (Some(port), Some(certificate)) => Some(Tls {
            port,
            key: key.unwrap_or_else(|| certificate.clone()),
            certificate,
        }),
        (Some(_), None) => {
            read.problems
                .push("tlsCertificate must be given: tlsPort is".to_owned());
            None
        }
        (None, _) => None,
    }
}

fn proxies(read: &mut Reader<'_>) -> Vec<IpAddr> {
    let Some(value) = read.given("trustedProxies").cloned() else {
        return Vec::new();
    };
    let address = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    let addresses = value
        .as_array()
        .and_then(|list| list.iter().map(address).collect());
    if addresses.is_none() {
        read.problem("trustedProxies", "a list of addresses");
    }
    addresses.unwrap_or_default()
}
