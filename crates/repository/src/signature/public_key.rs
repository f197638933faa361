//! Public keys in the form of OpenSSH.

use crate::signature::SignatureError;
use crate::signature::algorithm::{Algorithm, KeyKind};
use openssl::bn::{BigNum, BigNumContext};
use openssl::dsa::Dsa;
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use ssh_key::public::KeyData;
use ssh_key::{EcdsaCurve, HashAlg, Mpint};
use std::fmt;

/// A key that checks signatures.
#[derive(Clone)]
pub struct PublicKey {
    kind: KeyKind,
    key: PKey<Public>,
    sha256: String,
    md5: String,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.sha256)
    }
}

impl PublicKey {
    /// Of a line such as `ssh-ed25519 AAAA… comment`.
    ///
    /// # Errors
    /// It is no key, or one of a kind that is not used.
    pub fn parse(line: &str) -> Result<Self, SignatureError> {
        let parsed = ssh_key::PublicKey::from_openssh(line)?;
        let (kind, key) = convert(parsed.key_data())?;
        let md5 = hash(MessageDigest::md5(), &parsed.to_bytes()?)?;
        let md5: Vec<String> = md5.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            kind,
            key,
            sha256: parsed.fingerprint(HashAlg::Sha256).to_string(),
            md5: md5.join(":"),
        })
    }

    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> &str {
        &self.sha256
    }

    /// Its kind.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether a fingerprint, of SHA-256 or MD5 with or without `MD5:`, is this key's.
    pub fn has_fingerprint(&self, fingerprint: &str) -> bool {
        let md5 = fingerprint.strip_prefix("MD5:").unwrap_or(fingerprint);
        fingerprint == self.sha256 || md5.eq_ignore_ascii_case(&self.md5)
    }

    /// Whether this key made a signature. What is no signature at all is not made by it.
    pub fn verifies(&self, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> bool {
        algorithm.key_kind() == self.kind && self.check(algorithm, text, signature).unwrap_or(false)
    }

    fn check(&self, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> Result<bool, ErrorStack> {
        let mut verifier = match algorithm.digest() {
            Some(digest) => Verifier::new(digest, &self.key)?,
            None => Verifier::new_without_digest(&self.key)?,
        };
        verifier.verify_oneshot(signature, text)
    }
}

fn convert(data: &KeyData) -> Result<(KeyKind, PKey<Public>), SignatureError> {
    match data {
        KeyData::Rsa(key) => {
            let key = Rsa::from_public_components(number(&key.n)?, number(&key.e)?)?;
            Ok((KeyKind::Rsa, PKey::from_rsa(key)?))
        }
        KeyData::Dsa(key) => {
            let (p, q, g, y) = (number(&key.p)?, number(&key.q)?, number(&key.g)?, number(&key.y)?);
            Ok((
                KeyKind::Dsa,
                PKey::from_dsa(Dsa::from_public_components(p, q, g, y)?)?,
            ))
        }
        KeyData::Ecdsa(key) => {
            let group = group(key.curve())?;
            let mut context = BigNumContext::new()?;
            let point = EcPoint::from_bytes(&group, key.as_ref(), &mut context)?;
            let key = EcKey::from_public_key(&group, &point)?;
            Ok((KeyKind::Ecdsa, PKey::from_ec_key(key)?))
        }
        KeyData::Ed25519(key) => Ok((
            KeyKind::Ed25519,
            PKey::public_key_from_raw_bytes(&key.0, Id::ED25519)?,
        )),
        other => Err(SignatureError::Unsupported(other.algorithm().to_string())),
    }
}

fn group(curve: EcdsaCurve) -> Result<EcGroup, ErrorStack> {
    EcGroup::from_curve_name(match curve {
        EcdsaCurve::NistP256 => Nid::X9_62_PRIME256V1,
        EcdsaCurve::NistP384 => Nid::SECP384R1,
        EcdsaCurve::NistP521 => Nid::SECP521R1,
    })
}

pub(crate) fn number(number: &Mpint) -> Result<BigNum, ErrorStack> {
    BigNum::from_slice(number.as_positive_bytes().unwrap_or_default())
}
