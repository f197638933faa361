//! A certificate made on the spot, for servers that have none (srpc.md §8.1).

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};

use super::CredentialError;

const LIFE_DAYS: u32 = 30 * 365;

/// An Ed25519 certificate signed by itself: serial 1, valid 30 years, for server authentication, DNS name `any-server`. Clients
/// do not verify servers, so this is enough.
///
/// # Errors
/// OpenSSL refuses.
pub fn self_signed() -> Result<(X509, PKey<Private>), CredentialError> {
    let key = PKey::generate_ed25519()?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*BigNum::from_u32(1)?.to_asn1_integer()?)?;
    let name = X509NameBuilder::new()?.build();
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(LIFE_DAYS)?)?;
    builder.set_pubkey(&key)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let host = SubjectAlternativeName::new()
        .critical()
        .dns("any-server")
        .build(&builder.x509v3_context(None, None))?;
    builder.append_extension(host)?;
    builder.sign(&key, MessageDigest::null())?;
    Ok((builder.build(), key))
}
