//! A certificate for people and pages.

use std::time::{Duration, SystemTime};

use openssl::x509::X509;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::powers::{CertificateClaims, ClaimsError};

/// What there is to show of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSummary {
    /// User name, groups and method patterns.
    pub claims: CertificateClaims,
    /// The whole subject, as OpenSSL-like text.
    pub subject: String,
    /// The whole issuer, as OpenSSL-like text.
    pub issuer: String,
    /// Serial number in hex.
    pub serial: String,
    /// Host names it is for.
    pub dns_names: Vec<String>,
    /// It may sign others.
    pub is_ca: bool,
    /// Not valid before this.
    pub not_before: SystemTime,
    /// Not valid after this.
    pub not_after: SystemTime,
}

/// Whether a certificate can be used at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    Valid,
    NotFor(Duration),
    ExpiredFor(Duration),
}

impl CertificateSummary {
    /// Of a certificate in DER.
    ///
    /// # Errors
    /// It does not parse, or its extensions of ours do not.
    pub fn from_der(der: &[u8]) -> Result<Self, ClaimsError> {
        let claims = CertificateClaims::from_der(der)?;
        let (_, parsed) =
            X509Certificate::from_der(der).map_err(|error| ClaimsError::Certificate(error.to_string()))?;
        let dns_names = match parsed.subject_alternative_name() {
            Ok(Some(names)) => names
                .value
                .general_names
                .iter()
                .filter_map(|name| match name {
                    x509_parser::extensions::GeneralName::DNSName(name) => Some((*name).to_owned()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        Ok(Self {
            claims,
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            serial: parsed.raw_serial_as_string(),
            dns_names,
            is_ca: parsed.is_ca(),
            not_before: system_time(parsed.validity().not_before.timestamp()),
            not_after: system_time(parsed.validity().not_after.timestamp()),
        })
    }

    pub(crate) fn of(certificate: &X509) -> Result<Self, ClaimsError> {
        let der = certificate
            .to_der()
            .map_err(|error| ClaimsError::Certificate(error.to_string()))?;
        Self::from_der(&der)
    }

    /// Whether the certificate is valid now.
    pub fn is_valid_now(&self) -> bool {
        self.validity(SystemTime::now()) == Validity::Valid
    }

    /// Why the certificate is not valid at `now`, in the words of the tools: `expired 3d4h0m0s ago`. `None` if it is.
    pub fn invalidity(&self, now: SystemTime) -> Option<String> {
        match self.validity(now) {
            Validity::Valid => None,
            Validity::NotFor(wait) => Some(format!("will not be valid for {}", human::duration(wait))),
            Validity::ExpiredFor(since) => Some(format!("expired {} ago", human::duration(since))),
        }
    }

    fn validity(&self, now: SystemTime) -> Validity {
        if let Ok(wait) = self.not_before.duration_since(now)
            && !wait.is_zero()
        {
            return Validity::NotFor(wait);
        }
        match now.duration_since(self.not_after) {
            Ok(since) if !since.is_zero() => Validity::ExpiredFor(since),
            _ => Validity::Valid,
        }
    }
}

fn system_time(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    };
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}
