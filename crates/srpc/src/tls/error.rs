//! Why credentials cannot be used.

use std::io;
use std::path::PathBuf;

use openssl::error::ErrorStack;

use crate::powers::ClaimsError;

/// A failure to load or use certificates and keys. Texts are those of srpc.md §8.1 and §11.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// No certificate and none may be made up: name files that exist, or allow a generated one.
    #[error("missing certificate")]
    MissingCertificate,
    /// No root of trust and running without one was not permitted.
    #[error("missing CA")]
    MissingCa,
    /// Certificate and key do not load or do not belong together.
    #[error("unable to load keypair: {0}")]
    KeyPair(String),
    /// A file of trusted certificates does not load.
    #[error("unable to load CA file: {path:?}: {cause}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// A pair in a directory is not valid now, or broken.
    #[error("{file} {cause}")]
    Pair {
        /// File name of the certificate.
        file: String,
        /// What is wrong, for example `expired 3d1h0m0s ago`.
        cause: String,
    },
    /// The extensions of a certificate do not parse.
    #[error("{file}: {source}")]
    Claims {
        /// File name of the certificate.
        file: String,
        /// What is wrong.
        source: ClaimsError,
    },
    /// The metadata service answered with something other than a certificate or 404.
    #[error("metadata service: {0}")]
    Metadata(String),
    /// A file or directory cannot be read.
    #[error("{path:?}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// OpenSSL refuses.
    #[error("tls: {0}")]
    Tls(#[from] ErrorStack),
}
