//! HTTP Signature with SSH keys (imgapi-operations.md §3, §4): who asks, and how a client says it.

mod algorithm;
mod authenticate;
mod header;
mod key_table;
mod openssh_ecdsa;
mod pem;
mod public_key;
mod signing_key;
mod signing_string;

pub use algorithm::{Algorithm, KeyKind};
pub use authenticate::{MAXIMUM_SKEW, Policy, User, authenticate};
pub use header::{Authorization, KeyId};
pub use key_table::{KeyProblem, KeyTable, MAXIMUM_KEYS_OF_USER};
pub use public_key::PublicKey;
pub use signing_key::{SigningKey, authorization, of_agent};
pub use signing_string::{SignedRequest, signing_string};

/// What went wrong with keys or OpenSSL.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The text is no key that can be read.
    #[error("no key: {0}")]
    Key(ssh_key::Error),
    /// A kind of key that signs nothing here.
    #[error("keys of type {0} are not supported; use RSA, ECDSA or Ed25519")]
    Unsupported(String),
    /// A private key under a pass phrase.
    #[error("the private key is encrypted; add it to an SSH agent and name it by its fingerprint")]
    Encrypted,
    /// OpenSSL refuses the key.
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] openssl::error::ErrorStack),
    /// An agent's signature is not in the form agents use.
    #[error("the SSH agent's signature cannot be read")]
    AgentSignature,
}

impl From<ssh_key::Error> for SignatureError {
    fn from(error: ssh_key::Error) -> Self {
        Self::Key(error)
    }
}
