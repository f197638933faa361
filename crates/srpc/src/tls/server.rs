//! What a server demands of its callers and shows them.

use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    SslAcceptor, SslContext, SslMethod, SslOptions, SslSessionCacheMode, SslVerifyMode, SslVersion,
};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509Name};

use super::{CertificateSummary, CredentialError};

/// Names the sessions of this protocol; OpenSSL wants one where client certificates are verified.
const SESSION_ID_CONTEXT: &[u8] = b"srpc";

/// The server side of TLS: own certificate, roots of trust, and who may grant method powers.
pub struct ServerTls {
    context: SslContext,
    /// Raw subjects of the CAs whose certificates may carry method powers; `None`: all of them may (srpc.md §7.1).
    power_issuers: Option<Vec<Vec<u8>>>,
    certificate: CertificateSummary,
    cas: Vec<CertificateSummary>,
}

impl ServerTls {
    /// From parsed parts. `chain` is the own certificate and its intermediates; `cas` are roots for identity and methods;
    /// `identity_cas`, if any, are roots for identity only.
    ///
    /// # Errors
    /// OpenSSL refuses one of them.
    pub fn new(
        chain: &[X509],
        key: &PKey<Private>,
        cas: &[X509],
        identity_cas: Option<&[X509]>,
    ) -> Result<Self, CredentialError> {
        let Some(leaf) = chain.first() else {
            return Err(CredentialError::MissingCertificate);
        };
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        builder.set_certificate(leaf)?;
        builder.set_private_key(key)?;
        for certificate in chain.iter().skip(1) {
            builder.add_extra_chain_cert(certificate.clone())?;
        }
        let mut store = X509StoreBuilder::new()?;
        // Every certificate in the files is an anchor, intermediates too, as in Go.
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        let mut names = Stack::<X509Name>::new()?;
        for ca in cas.iter().chain(identity_cas.unwrap_or_default()) {
            store.add_cert(ca.clone())?;
            names.push(ca.subject_name().to_owned()?)?;
        }
        builder.set_verify_cert_store(store.build())?;
        // Go's clients withhold certificates that no CA in this list has signed.
        builder.set_client_ca_list(names);
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        // A resumed session would come without the chain that says who the caller is.
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        builder.set_options(SslOptions::NO_TICKET | SslOptions::IGNORE_UNEXPECTED_EOF);
        builder.set_num_tickets(0)?;
        builder.set_session_id_context(SESSION_ID_CONTEXT)?;
        builder.set_read_ahead(true);
        let power_issuers = match identity_cas {
            None => None,
            Some(_) => Some(
                cas.iter()
                    .map(|ca| ca.subject_name().to_der())
                    .collect::<Result<Vec<_>, _>>()?,
            ),
        };
        let file = || "certificate".to_owned();
        let summary = |certificate: &X509| {
            CertificateSummary::of(certificate)
                .map_err(|source| CredentialError::Claims { file: file(), source })
        };
        Ok(Self {
            context: builder.build().into_context(),
            power_issuers,
            certificate: summary(leaf)?,
            cas: cas
                .iter()
                .chain(identity_cas.unwrap_or_default())
                .filter_map(|ca| summary(ca).ok())
                .collect(),
        })
    }

    /// The own certificate.
    pub fn certificate(&self) -> &CertificateSummary {
        &self.certificate
    }

    /// The roots of trust; those whose extensions do not parse are left out.
    pub fn cas(&self) -> &[CertificateSummary] {
        &self.cas
    }

    pub(crate) fn context(&self) -> &SslContext {
        &self.context
    }

    /// Whether method powers count in a certificate with this issuer (raw DER name).
    pub(crate) fn honours_powers_of(&self, issuer: &[u8]) -> bool {
        self.power_issuers
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == issuer))
    }
}
