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
    /// Hosts that files and manifests may be fetched from, in lower case; `None` for all. See [`Self::check_source_host`].
    pub source_hosts: Option<Vec<String>>,
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
            source_hosts: hosts(read),
        }
    }

    /// Whether something may be fetched from a host: who may create images has this program ask any host it reaches, also those
    /// that he does not reach himself, unless the configuration names which (imgapi.md §12.4, §12.5, §13). A name that begins with
    /// a dot is all names that end so.
    ///
    /// # Errors
    /// It may not, or there is no host.
    pub fn check_source_host(&self, host: Option<&str>) -> Result<(), String> {
        let Some(hosts) = &self.source_hosts else {
            return Ok(());
        };
        let host = host.unwrap_or_default().to_ascii_lowercase();
        let is_meant =
            |name: &String| *name == host || (name.starts_with('.') && host.ends_with(name.as_str()));
        if hosts.iter().any(is_meant) {
            return Ok(());
        }
        Err(format!(
            "nothing is fetched from host {host:?} here: it is not among sourceHosts"
        ))
    }
}

fn hosts(read: &mut Reader<'_>) -> Option<Vec<String>> {
    let value = read.given("sourceHosts")?.clone();
    let name = |value: &Value| {
        let name = value.as_str()?.to_ascii_lowercase();
        let is_name = !name.is_empty() && !name.contains(['/', '@', '*']);
        is_name.then_some(name)
    };
    let names = value.as_array().and_then(|list| list.iter().map(name).collect());
    if names.is_none() {
        read.problem("sourceHosts", "a list of names or addresses of hosts");
    }
    // A list that is none closes: it was meant to.
    Some(names.unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use crate::configuration::Configuration;

    #[test]
    fn hosts_are_limited_to_those_that_are_named() {
        let own = |text: &str| Configuration::read(text).unwrap().settings().own.clone();
        assert!(own("{}").check_source_host(Some("10.0.0.1")).is_ok());
        let some = own(r#"{"sourceHosts": ["Updates.example.com", ".tritondatacenter.com", "[::1]"]}"#);
        for host in [
            "updates.example.com",
            "UPDATES.example.com",
            "images.tritondatacenter.com",
            "[::1]",
        ] {
            assert!(some.check_source_host(Some(host)).is_ok(), "{host}");
        }
        for host in [
            "example.com",
            "x.updates.example.com",
            "tritondatacenter.com",
            "127.0.0.1",
            "",
        ] {
            assert!(some.check_source_host(Some(host)).is_err(), "{host}");
        }
        assert!(some.check_source_host(None).is_err());
        assert!(
            own(r#"{"sourceHosts": []}"#)
                .check_source_host(Some("x"))
                .is_err()
        );
        assert!(Configuration::read(r#"{"sourceHosts": ["https://x/"]}"#).is_err());
    }
}
