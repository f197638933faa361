//! Certificates made from a template.

use super::key;
use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::pkey::{PKeyRef, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Extension, X509Name, X509NameRef, X509Ref};
use std::net::IpAddr;

/// How far before now a new certificate starts, in seconds, so that peers whose clocks are behind accept it.
pub(crate) const CLOCK_SKEW_SECONDS: i64 = 300;

/// Who vouches for the new certificate.
pub(crate) enum Issuer<'a> {
    /// The certificate itself: a root.
    Itself,
    Authority {
        cert: &'a X509Ref,
        key: &'a PKeyRef<Private>,
    },
}

/// First and last second of validity, since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) from: i64,
    pub(crate) until: i64,
}

/// An extension as bytes.
pub(crate) struct RawExtension {
    /// Dotted decimal.
    pub(crate) oid: String,
    pub(crate) critical: bool,
    pub(crate) value: Vec<u8>,
}

/// What goes into a certificate beside key, issuer and serial number.
pub(crate) struct Template {
    pub(crate) subject: X509Name,
    pub(crate) validity: Validity,
    pub(crate) usage: Usage,
    pub(crate) extensions: Vec<RawExtension>,
}

/// What a certificate is for.
pub(crate) enum Usage {
    /// Signs other certificates.
    Authority,
    /// Identifies a client, and a server where it has names.
    Peer { server_names: Vec<String> },
    /// Everything is among the raw extensions.
    AsExtensions,
}

/// A name of one part: the common name, which servers take as user name (srpc.md §7.1).
pub(crate) fn common_name(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509Name::builder()?;
    builder.append_entry_by_nid(openssl::nid::Nid::COMMONNAME, name)?;
    Ok(builder.build())
}

/// A copy of a name.
pub(crate) fn copy_name(name: &X509NameRef) -> Result<X509Name, ErrorStack> {
    X509Name::from_der(&name.to_der()?)
}

/// Makes and signs a certificate.
pub(crate) fn build(
    template: &Template,
    key: &PKeyRef<Private>,
    issuer: &Issuer<'_>,
) -> Result<X509, ErrorStack> {
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?; // counted from 0: version 3
    let serial = random_serial()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(&template.subject)?;
    builder.set_pubkey(key)?;
    let from = Asn1Time::from_unix(template.validity.from)?;
    let until = Asn1Time::from_unix(template.validity.until)?;
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    let (signing_key, issuer_cert) = match issuer {
        Issuer::Itself => {
            builder.set_issuer_name(&template.subject)?;
            (key, None)
        }
        Issuer::Authority { cert, key } => {
            builder.set_issuer_name(cert.subject_name())?;
            (*key, Some(*cert))
        }
    };
    add_usage(&mut builder, &template.usage, key)?;
    let subject_key = SubjectKeyIdentifier::new().build(&builder.x509v3_context(issuer_cert, None))?;
    builder.append_extension(subject_key)?;
    if issuer_cert.is_some_and(|cert| cert.subject_key_id().is_some()) {
        let mut authority_key = AuthorityKeyIdentifier::new();
        let extension = authority_key
            .keyid(true)
            .build(&builder.x509v3_context(issuer_cert, None))?;
        builder.append_extension(extension)?;
    }
    for extension in &template.extensions {
        let oid = Asn1Object::from_str(&extension.oid)?;
        let value = Asn1OctetString::new_from_bytes(&extension.value)?;
        builder.append_extension(X509Extension::new_from_der(&oid, extension.critical, &value)?)?;
    }
    builder.sign(signing_key, key::signature_digest(signing_key))?;
    Ok(builder.build())
}

fn add_usage(builder: &mut X509Builder, usage: &Usage, key: &PKeyRef<Private>) -> Result<(), ErrorStack> {
    match usage {
        Usage::AsExtensions => Ok(()),
        Usage::Authority => {
            // No authorities below it: servers compare the issuer's name with the CA file directly (srpc.md §7.1).
            builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
            builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)
        }
        Usage::Peer { server_names } => {
            builder.append_extension(BasicConstraints::new().critical().build()?)?;
            let mut key_usage = KeyUsage::new();
            key_usage.critical().digital_signature();
            if key::can_encipher(key) {
                key_usage.key_encipherment();
            }
            builder.append_extension(key_usage.build()?)?;
            let mut extended = ExtendedKeyUsage::new();
            extended.client_auth();
            if !server_names.is_empty() {
                extended.server_auth();
            }
            builder.append_extension(extended.build()?)?;
            if server_names.is_empty() {
                return Ok(());
            }
            let mut names = SubjectAlternativeName::new();
            for name in server_names {
                if name.parse::<IpAddr>().is_ok() {
                    names.ip(name)
                } else {
                    names.dns(name)
                };
            }
            let extension = names.build(&builder.x509v3_context(None, None))?;
            builder.append_extension(extension)
        }
    }
}

fn random_serial() -> Result<Asn1Integer, ErrorStack> {
    // 127 bits: positive and at most 20 bytes, as X.509 asks, and never the same twice.
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    serial.to_asn1_integer()
}
