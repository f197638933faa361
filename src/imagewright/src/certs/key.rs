//! Private keys.

use clap::ValueEnum;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, PKeyRef, Private};
use openssl::rsa::Rsa;

/// Kinds of keys that the TLS stacks of all known peers accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyType {
    /// Small, fast, accepted everywhere
    EcP256,
    EcP384,
    /// Not accepted by some older TLS stacks
    Ed25519,
    /// Large and slow, for peers without elliptic curves
    Rsa3072,
    Rsa4096,
}

impl KeyType {
    /// Makes a new key of this kind.
    pub(crate) fn generate(self) -> Result<PKey<Private>, ErrorStack> {
        let curve = |nid| PKey::from_ec_key(EcKey::generate(EcGroup::from_curve_name(nid)?.as_ref())?);
        match self {
            Self::EcP256 => curve(Nid::X9_62_PRIME256V1),
            Self::EcP384 => curve(Nid::SECP384R1),
            Self::Ed25519 => PKey::generate_ed25519(),
            Self::Rsa3072 => PKey::from_rsa(Rsa::generate(3072)?),
            Self::Rsa4096 => PKey::from_rsa(Rsa::generate(4096)?),
        }
    }
}

/// The digest that a signature by this key takes.
pub(crate) fn signature_digest(key: &PKeyRef<Private>) -> MessageDigest {
    match key.id() {
        // These hash on their own; OpenSSL wants no digest named.
        Id::ED25519 | Id::ED448 => MessageDigest::null(),
        _ => MessageDigest::sha256(),
    }
}

/// Does the key encipher as RSA key exchange of TLS 1.2 needs?
pub(crate) fn can_encipher(key: &PKeyRef<Private>) -> bool {
    key.id() == Id::RSA
}
