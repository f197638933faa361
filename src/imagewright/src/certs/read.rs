//! What a certificate says: who, what, until when, and what is wrong with it.

use super::build::RawExtension;
use super::{methods, when};
use anyhow::Context;
use openssl::hash::MessageDigest;
use openssl::pkey::Id;
use openssl::x509::X509;
use serde::Serialize;
use srpc::powers::{CertificateClaims, Pattern, Powers};
use std::collections::BTreeMap;
use std::fmt::Write;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// A certificate, read.
#[derive(Debug, Serialize)]
pub(crate) struct Certificate {
    /// Common name of the subject; empty if it has none.
    pub(crate) user: String,
    pub(crate) groups: Vec<String>,
    /// Patterns over `Service.Method`.
    pub(crate) methods: Vec<String>,
    /// Methods of known services that the patterns grant.
    pub(crate) grants: BTreeMap<&'static str, Vec<&'static str>>,
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) is_authority: bool,
    pub(crate) is_self_signed: bool,
    /// `None`: no extended key usage at all, which is good for everything.
    pub(crate) client_authentication: Option<bool>,
    pub(crate) server_authentication: Option<bool>,
    /// DNS names and addresses.
    pub(crate) server_names: Vec<String>,
    /// Seconds since 1970.
    pub(crate) valid_from: i64,
    /// Seconds since 1970.
    pub(crate) valid_until: i64,
    pub(crate) key: String,
    /// Lower-case hex.
    pub(crate) serial: String,
    /// SHA-256 of the DER form, lower-case hex.
    pub(crate) fingerprint: String,
    /// What makes servers reject it, in which case no claim of it counts.
    pub(crate) malformed: Option<String>,
    #[serde(skip)]
    pub(crate) extensions: Vec<RawExtension>,
}

impl std::fmt::Debug for RawExtension {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({} bytes)", self.oid, self.value.len())
    }
}

/// Every certificate of a PEM file.
pub(crate) fn all_in(pem: &[u8]) -> anyhow::Result<Vec<Certificate>> {
    let certificates = X509::stack_from_pem(pem).context("no certificate in PEM form")?;
    anyhow::ensure!(!certificates.is_empty(), "no certificate in PEM form");
    certificates
        .iter()
        .map(|certificate| Certificate::from_der(&certificate.to_der()?))
        .collect()
}

impl Certificate {
    /// Reads one certificate.
    pub(crate) fn from_der(der: &[u8]) -> anyhow::Result<Self> {
        let (_, parsed) = X509Certificate::from_der(der).context("not a certificate")?;
        let (claims, malformed) = match CertificateClaims::from_der(der) {
            Ok(claims) => (claims, None),
            Err(error) => (CertificateClaims::default(), Some(error.to_string())),
        };
        let powers = Powers::new(&claims.methods);
        let grants = methods::SERVICES
            .iter()
            .map(|service| (service.name, methods::granted(service, &powers)))
            .collect();
        let usage = parsed
            .extended_key_usage()
            .ok()
            .flatten()
            .map(|extension| extension.value);
        let names = parsed.subject_alternative_name().ok().flatten();
        let names = names.map(|extension| {
            extension
                .value
                .general_names
                .iter()
                .filter_map(server_name)
                .collect()
        });
        Ok(Self {
            user: claims.common_name,
            groups: claims.groups,
            methods: claims.methods,
            grants,
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            is_authority: parsed.is_ca(),
            is_self_signed: parsed.subject().as_raw() == parsed.issuer().as_raw(),
            client_authentication: usage.map(|usage| usage.any || usage.client_auth),
            server_authentication: usage.map(|usage| usage.any || usage.server_auth),
            server_names: names.unwrap_or_default(),
            valid_from: parsed.validity().not_before.timestamp(),
            valid_until: parsed.validity().not_after.timestamp(),
            key: key_text(der)?,
            serial: parsed
                .raw_serial()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            fingerprint: hex(&openssl::hash::hash(MessageDigest::sha256(), der)?),
            malformed,
            extensions: parsed
                .extensions()
                .iter()
                .map(|extension| RawExtension {
                    oid: extension.oid.to_id_string(),
                    critical: extension.critical,
                    value: extension.value.to_vec(),
                })
                .collect(),
        })
    }

    /// What will surprise whoever uses it.
    pub(crate) fn warnings(&self, now: i64) -> Vec<String> {
        let mut warnings = self
            .malformed
            .iter()
            .map(|reason| format!("servers reject it: {reason}"))
            .collect::<Vec<_>>();
        if self.valid_until < now {
            warnings.push(format!("expired {}", when::relative(self.valid_until, now)));
        } else if self.valid_from > now {
            warnings.push(format!(
                "not valid yet: starts {}",
                when::relative(self.valid_from, now)
            ));
        }
        // Of an authority the rest is not expected, of a malformed one it is not known.
        if self.is_authority || self.malformed.is_some() {
            return warnings;
        }
        if self.client_authentication == Some(false) {
            warnings.push("not for client authentication: servers refuse it from a caller".to_owned());
        }
        if self.user.is_empty() {
            warnings.push("has no user name: its caller goes by the name of the authority".to_owned());
        }
        if self.is_self_signed {
            warnings.push("is signed by itself: good for a server, worthless for a caller".to_owned());
        }
        let never = self
            .methods
            .iter()
            .filter(|pattern| !Pattern::new(pattern).is_well_formed());
        warnings.extend(never.map(|pattern| format!("{pattern} is a malformed pattern and matches nothing")));
        warnings
    }

    /// The text for people, one item a line.
    pub(crate) fn describe(&self, now: i64) -> String {
        let mut text = String::new();
        let mut item = |name: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:<12} {value}");
        };
        item(
            if self.is_authority { "authority" } else { "user" },
            or_none(&self.user),
        );
        if !self.is_authority {
            item("groups", or_none(&self.groups.join(", ")));
        }
        item(
            "issued by",
            if self.is_self_signed {
                "itself"
            } else {
                &self.issuer
            },
        );
        item(
            "valid from",
            &format!(
                "{} ({})",
                when::exact(self.valid_from),
                when::relative(self.valid_from, now)
            ),
        );
        item(
            "valid until",
            &format!(
                "{} ({})",
                when::exact(self.valid_until),
                when::relative(self.valid_until, now)
            ),
        );
        if !self.is_authority {
            item("good for", &self.purposes());
            item("methods", or_none(&self.methods.join(", ")));
            for service in methods::SERVICES {
                let granted = self.grants.get(service.name).map_or(&[][..], Vec::as_slice);
                let told = match granted.len() {
                    0 => continue,
                    count if count == service.methods.len() => {
                        format!("{}: all {count} methods", service.name)
                    }
                    _ => format!("{}: {}", service.name, granted.join(", ")),
                };
                item("  grants", &told);
            }
            let open = self.open_to_names();
            if open > 0 {
                item(
                    "  by name",
                    &format!("{open} more that are open to every certificate with a user name"),
                );
            }
        }
        item("key", &self.key);
        for warning in self.warnings(now) {
            item("WARNING", &warning);
        }
        text
    }

    /// How many methods it may call for its name alone.
    fn open_to_names(&self) -> usize {
        if self.user.is_empty() {
            return 0;
        }
        let granted = |service: &str, method: &str| {
            self.grants
                .get(service)
                .is_some_and(|list| list.contains(&method))
        };
        methods::SERVICES
            .iter()
            .flat_map(|service| {
                service
                    .methods
                    .iter()
                    .map(move |(method, needs)| (service.name, *method, *needs))
            })
            .filter(|(service, method, needs)| *needs == methods::Needs::Name && !granted(service, method))
            .count()
    }

    fn purposes(&self) -> String {
        let mut purposes = Vec::new();
        if self.client_authentication != Some(false) {
            purposes.push("calling servers".to_owned());
        }
        if self.server_authentication != Some(false) {
            let names = if self.server_names.is_empty() {
                "no names".to_owned()
            } else {
                self.server_names.join(", ")
            };
            purposes.push(format!("being a server ({names})"));
        }
        or_none(&purposes.join(", ")).to_owned()
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "(none)" } else { text }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn server_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string()),
            _ => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    }
}

fn key_text(der: &[u8]) -> anyhow::Result<String> {
    let key = X509::from_der(der)?
        .public_key()
        .context("unreadable public key")?;
    Ok(match key.id() {
        Id::RSA => format!("RSA, {} bits", key.bits()),
        Id::EC => {
            let group = key.ec_key()?.group().curve_name();
            let name = group
                .and_then(|nid| nid.short_name().ok())
                .unwrap_or("curve unknown");
            format!("EC, {name}")
        }
        Id::ED25519 => "Ed25519".to_owned(),
        _ => format!("{} bits", key.bits()),
    })
}
