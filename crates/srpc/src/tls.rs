//! Certificates and keys: what a server demands and shows, what a client offers, where both come from.

pub(crate) mod alert;
mod client;
mod directory;
mod error;
mod files;
mod metadata;
mod reload;
mod self_signed;
mod server;
mod summary;

pub use client::{ClientCredentials, KeyPair};
pub use directory::load_directory;
pub use error::CredentialError;
pub use files::{CredentialFiles, Credentials};
pub use metadata::METADATA_SERVICE;
pub use reload::Reloader;
pub use self_signed::self_signed;
pub use server::ServerTls;
pub use summary::CertificateSummary;
