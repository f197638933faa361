//! The credentials of servers, and of daemons acting as clients (srpc.md §8.1).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::client::parse_pair;
use super::directory::read_file;
use super::metadata::PemTexts;
use super::{ClientCredentials, CredentialError, KeyPair, ServerTls, metadata, self_signed};

/// Credentials are never reloaded sooner than this.
const RELOAD_DELAY_MIN: Duration = Duration::from_secs(60);

/// Where a server's credentials are and what to do without them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialFiles {
    /// Roots of trust for identity and methods; `None` is the same as a missing file.
    pub ca_file: Option<PathBuf>,
    /// Roots for identity only; a missing file is fine.
    pub identity_ca_file: Option<PathBuf>,
    /// Own certificate.
    pub cert_file: PathBuf,
    /// Its key.
    pub key_file: PathBuf,
    /// Without a certificate make one up instead of failing.
    pub generate_missing_certificate: bool,
    /// Without a CA run without TLS, permitting everything to everybody, instead of failing.
    pub permit_insecure_mode: bool,
    /// Ask this service for certificate and key if the files are missing, as the reference always does at
    /// [`METADATA_SERVICE`](super::METADATA_SERVICE). Leave it `None` unless the machine is known to have one: whoever
    /// answers at that address becomes the server's identity.
    pub metadata_service: Option<SocketAddr>,
}

impl CredentialFiles {
    /// The usual places for a program of this name: `/etc/ssl/CA.pem`, `/etc/ssl/NAME/cert.pem` and so on.
    pub fn usual_for(program_name: &str) -> Self {
        let own = Path::new("/etc/ssl").join(program_name);
        Self {
            ca_file: Some("/etc/ssl/CA.pem".into()),
            identity_ca_file: Some("/etc/ssl/IdentityCA.pem".into()),
            cert_file: own.join("cert.pem"),
            key_file: own.join("key.pem"),
            generate_missing_certificate: false,
            permit_insecure_mode: false,
            metadata_service: None,
        }
    }

    /// Reads everything. Blocks on files (and on the metadata service, if set, for about 100 ms).
    ///
    /// A certificate that is not valid now is logged and used nevertheless.
    ///
    /// # Errors
    /// The fatal rows of srpc.md §8.1.
    pub fn load(&self) -> Result<Credentials, CredentialError> {
        let own = self.own_pair()?;
        let cas = match &self.ca_file {
            Some(path) => load_cas(path)?,
            None => None,
        };
        let client = match &own.kind {
            OwnKind::Generated => None,
            OwnKind::Loaded => Some(ClientCredentials::new(vec![KeyPair::new(
                &self.cert_file.display().to_string(),
                own.chain.clone(),
                &own.key,
            )?])),
        };
        let server = match cas {
            Some(cas) => {
                let identity_cas = match &self.identity_ca_file {
                    Some(path) => load_cas(path)?,
                    None => None,
                };
                Some(Arc::new(ServerTls::new(
                    &own.chain,
                    &own.key,
                    &cas,
                    identity_cas.as_deref(),
                )?))
            }
            None if self.permit_insecure_mode => {
                tracing::warn!("no CA: running without TLS, every caller may call every method");
                None
            }
            None => return Err(CredentialError::MissingCa),
        };
        let credentials = Credentials { server, client };
        credentials.log_invalid(SystemTime::now());
        Ok(credentials)
    }

    fn own_pair(&self) -> Result<OwnPair, CredentialError> {
        let unreadable = |error: CredentialError| CredentialError::KeyPair(error.to_string());
        let certificate = read_file(&self.cert_file).map_err(unreadable)?;
        let key = read_file(&self.key_file).map_err(unreadable)?;
        let texts = match (certificate, key, self.metadata_service) {
            (Some(certificate), Some(key), _) => Some(PemTexts { certificate, key }),
            (_, _, Some(service)) => metadata::certificate_and_key(service)?,
            _ => None,
        };
        match texts {
            Some(PemTexts { certificate, key }) => {
                let (chain, key) = parse_pair(&certificate, &key)?;
                Ok(OwnPair {
                    chain,
                    key,
                    kind: OwnKind::Loaded,
                })
            }
            None if self.generate_missing_certificate => {
                let (certificate, key) = self_signed()?;
                Ok(OwnPair {
                    chain: vec![certificate],
                    key,
                    kind: OwnKind::Generated,
                })
            }
            None => Err(CredentialError::MissingCertificate),
        }
    }
}

struct OwnPair {
    chain: Vec<X509>,
    key: PKey<Private>,
    kind: OwnKind,
}

enum OwnKind {
    Loaded,
    Generated,
}

/// `None`: no such file, or an empty one.
fn load_cas(path: &Path) -> Result<Option<Vec<X509>>, CredentialError> {
    let failed = |cause: String| CredentialError::CaFile {
        path: path.to_owned(),
        cause,
    };
    let text = match read_file(path) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(None),
        Err(CredentialError::Io { source, .. }) => return Err(failed(source.to_string())),
        Err(error) => return Err(error),
    };
    let cas = X509::stack_from_pem(&text).map_err(|error| failed(error.to_string()))?;
    if cas.is_empty() {
        Err(failed("no certificates in it".to_owned()))
    } else {
        Ok(Some(cas))
    }
}

/// What was loaded.
#[derive(Clone)]
pub struct Credentials {
    /// The server side; `None` is insecure mode.
    pub server: Option<Arc<ServerTls>>,
    /// The same certificate as a client certificate; `None` if it was made up.
    pub client: Option<Arc<ClientCredentials>>,
}

impl Credentials {
    /// How long to wait before loading again: half the remaining life of the first certificate to expire, at least a minute.
    /// `None` if there is nothing that expires: insecure mode with a generated certificate.
    pub fn reload_delay(&self, now: SystemTime) -> Option<Duration> {
        let first = self.expiries().min()?;
        Some((first.duration_since(now).unwrap_or_default() / 2).max(RELOAD_DELAY_MIN))
    }

    fn expiries(&self) -> impl Iterator<Item = SystemTime> {
        let server = self.server.iter().map(|server| server.certificate().not_after);
        let client = self
            .client
            .iter()
            .flat_map(|client| client.pairs())
            .map(|pair| pair.summary().not_after);
        server.chain(client)
    }

    fn log_invalid(&self, now: SystemTime) {
        let own = self
            .server
            .iter()
            .map(|server| ("certificate", server.certificate()));
        let cas = self
            .server
            .iter()
            .flat_map(|server| server.cas())
            .map(|ca| ("CA", ca));
        for (what, summary) in own.chain(cas) {
            if let Some(cause) = summary.invalidity(now) {
                tracing::error!(subject = %summary.subject, "{what} {cause}");
            }
        }
    }
}
