//! Names of algorithms.

use openssl::hash::MessageDigest;

/// An algorithm of signatures. HMAC is none: whoever knew a public key could sign with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `rsa-sha1`, of old clients.
    RsaSha1,
    /// `rsa-sha256`
    RsaSha256,
    /// `rsa-sha512`
    RsaSha512,
    /// `dsa-sha1`, of old clients.
    DsaSha1,
    /// `ecdsa-sha256`
    EcdsaSha256,
    /// `ecdsa-sha384`
    EcdsaSha384,
    /// `ecdsa-sha512`
    EcdsaSha512,
    /// `ed25519-sha512`
    Ed25519,
}

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA
    Rsa,
    /// DSA
    Dsa,
    /// ECDSA on a curve of NIST
    Ecdsa,
    /// Ed25519
    Ed25519,
}

const NAMES: [(Algorithm, &str); 8] = [
    (Algorithm::RsaSha1, "rsa-sha1"),
    (Algorithm::RsaSha256, "rsa-sha256"),
    (Algorithm::RsaSha512, "rsa-sha512"),
    (Algorithm::DsaSha1, "dsa-sha1"),
    (Algorithm::EcdsaSha256, "ecdsa-sha256"),
    (Algorithm::EcdsaSha384, "ecdsa-sha384"),
    (Algorithm::EcdsaSha512, "ecdsa-sha512"),
    (Algorithm::Ed25519, "ed25519-sha512"),
];

impl Algorithm {
    /// Reads a name, in any case.
    ///
    /// # Errors
    /// What the client is told.
    pub fn parse(name: &str, accept_sha1: bool) -> Result<Self, String> {
        let lower = name.to_ascii_lowercase();
        let found = NAMES
            .iter()
            .find(|(_, name)| *name == lower)
            .map(|(algorithm, _)| *algorithm);
        // What the original knows by name and does not take.
        let is_known = matches!(
            lower.as_str(),
            "hmac-sha1" | "hmac-sha256" | "hmac-sha512" | "dsa-sha256" | "dsa-sha512"
        );
        match found {
            Some(Self::RsaSha1 | Self::DsaSha1) if !accept_sha1 => Err(refused(name)),
            Some(algorithm) => Ok(algorithm),
            None if is_known => Err(refused(name)),
            None => Err(format!("{lower} is not supported")),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(algorithm, _)| *algorithm == self)
            .map_or("", |(_, name)| name)
    }

    /// The kind of key it wants.
    pub fn key_kind(self) -> KeyKind {
        match self {
            Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha512 => KeyKind::Rsa,
            Self::DsaSha1 => KeyKind::Dsa,
            Self::EcdsaSha256 | Self::EcdsaSha384 | Self::EcdsaSha512 => KeyKind::Ecdsa,
            Self::Ed25519 => KeyKind::Ed25519,
        }
    }

    /// The digest that is signed; Ed25519 has its own.
    pub(crate) fn digest(self) -> Option<MessageDigest> {
        match self {
            Self::RsaSha1 | Self::DsaSha1 => Some(MessageDigest::sha1()),
            Self::RsaSha256 | Self::EcdsaSha256 => Some(MessageDigest::sha256()),
            Self::EcdsaSha384 => Some(MessageDigest::sha384()),
            Self::RsaSha512 | Self::EcdsaSha512 => Some(MessageDigest::sha512()),
            Self::Ed25519 => None,
        }
    }
}

fn refused(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    format!("Unauthorized (\"{name}\" is not a supported http-signature signing algorithm)")
}
