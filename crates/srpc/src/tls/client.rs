//! What a client offers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslContext, SslMethod, SslOptions, SslVerifyMode, SslVersion};
use openssl::x509::X509;

use super::{CertificateSummary, CredentialError};

/// Servers for which it is remembered which pair they accept.
const REMEMBERED_SERVERS_MAX: usize = 4096;

/// A certificate with its key, ready for use as a client certificate.
pub struct KeyPair {
    name: String,
    summary: CertificateSummary,
    context: SslContext,
}

impl KeyPair {
    /// From PEM texts. The certificate text may go on with intermediate certificates. `name` is for messages.
    ///
    /// # Errors
    /// They do not parse or do not belong together.
    pub fn from_pem(name: &str, certificate: &[u8], key: &[u8]) -> Result<Self, CredentialError> {
        let (chain, key) = parse_pair(certificate, key)?;
        Self::new(name, chain, &key)
    }

    pub(crate) fn new(name: &str, chain: Vec<X509>, key: &PKey<Private>) -> Result<Self, CredentialError> {
        let Some(leaf) = chain.first() else {
            return Err(CredentialError::MissingCertificate);
        };
        let summary = CertificateSummary::of(leaf).map_err(|source| CredentialError::Claims {
            file: name.to_owned(),
            source,
        })?;
        let mut builder = client_context()?;
        builder.set_certificate(leaf)?;
        builder.set_private_key(key)?;
        for certificate in chain.into_iter().skip(1) {
            builder.add_extra_chain_cert(certificate)?;
        }
        Ok(Self {
            name: name.to_owned(),
            summary,
            context: builder.build(),
        })
    }

    /// What the certificate says.
    pub fn summary(&self) -> &CertificateSummary {
        &self.summary
    }

    /// The name given when it was loaded.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn context(&self) -> &SslContext {
        &self.context
    }
}

/// Certificates to offer, in order of preference.
///
/// With several pairs the server is tried with one after the other until it accepts one; what it accepted is remembered.
/// (Go picks by the list of CA names that the server sends, which the openssl crate does not show.)
pub struct ClientCredentials {
    pairs: Vec<KeyPair>,
    remembered: Mutex<HashMap<String, usize>>,
}

impl ClientCredentials {
    /// In the given order.
    pub fn new(pairs: Vec<KeyPair>) -> Arc<Self> {
        Arc::new(Self {
            pairs,
            remembered: Mutex::default(),
        })
    }

    /// The pairs in order of preference.
    pub fn pairs(&self) -> &[KeyPair] {
        &self.pairs
    }

    /// Whether anything can be offered now: no pair at all, or none valid, is an error before dialling (srpc.md §2.4).
    ///
    /// # Errors
    /// The text of the reference.
    pub fn check(&self, now: SystemTime) -> Result<(), String> {
        let mut first_cause = None;
        for pair in &self.pairs {
            match pair.summary.invalidity(now) {
                None => return Ok(()),
                Some(cause) => first_cause = first_cause.or(Some(cause)),
            }
        }
        Err(match first_cause {
            Some(cause) => format!("no valid certificates: {cause}"),
            None => "no certificates in TLS configuration".to_owned(),
        })
    }

    /// The order in which to try the pairs on this server.
    pub(crate) fn order_for(&self, address: &str) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.pairs.len()).collect();
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&first) = remembered.get(address) {
            order.sort_by_key(|&index| index != first);
        }
        order
    }

    pub(crate) fn remember(&self, address: &str, index: usize) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_SERVERS_MAX {
            remembered.clear();
        }
        remembered.insert(address.to_owned(), index);
    }
}

pub(crate) fn parse_pair(
    certificate: &[u8],
    key: &[u8],
) -> Result<(Vec<X509>, PKey<Private>), CredentialError> {
    let keypair = |error: openssl::error::ErrorStack| CredentialError::KeyPair(error.to_string());
    let chain = X509::stack_from_pem(certificate).map_err(keypair)?;
    let key = PKey::private_key_from_pem(key).map_err(keypair)?;
    let Some(leaf) = chain.first() else {
        return Err(CredentialError::KeyPair(
            "no certificate in the certificate file".to_owned(),
        ));
    };
    if !leaf.public_key().map_err(keypair)?.public_eq(&key) {
        return Err(CredentialError::KeyPair(
            "private key does not match public key".to_owned(),
        ));
    }
    Ok((chain, key))
}

fn client_context() -> Result<openssl::ssl::SslContextBuilder, CredentialError> {
    let mut builder = SslContext::builder(SslMethod::tls_client())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    // Server certificates are not verified: many are self-signed (srpc.md §2.4).
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_options(SslOptions::NO_COMPRESSION | SslOptions::IGNORE_UNEXPECTED_EOF);
    builder.set_read_ahead(true);
    Ok(builder)
}
