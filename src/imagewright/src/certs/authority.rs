//! Where an authority lies on disk and how it is loaded.

use super::files::{self, PairPaths};
use crate::exit::{WithHelp, WrongUse};
use anyhow::Context;
use clap::Args;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use std::path::{Path, PathBuf};

/// File name, without its ending, of the authority for identity and powers.
pub(crate) const FULL_NAME: &str = "CA";
/// File name, without its ending, of the authority for identity only.
pub(crate) const IDENTITY_NAME: &str = "IdentityCA";

/// Which authority signs.
#[derive(Args)]
pub(crate) struct AuthorityArgs {
    /// Directory with CA.pem and CA.key, as `certs ca` makes it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) ca: PathBuf,
    /// Use IdentityCA.pem and IdentityCA.key of that directory: a name and groups, no powers
    #[arg(long)]
    pub(crate) identity: bool,
    /// Certificate of the authority, where it has another name
    #[arg(long, value_name = "FILE", requires = "ca_key")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Key of the authority, where it has another name
    #[arg(long, value_name = "FILE", requires = "ca_cert")]
    pub(crate) ca_key: Option<PathBuf>,
}

/// A loaded authority.
pub(crate) struct Authority {
    pub(crate) cert: X509,
    pub(crate) key: PKey<Private>,
    /// The file the certificate came from.
    pub(crate) path: PathBuf,
}

impl AuthorityArgs {
    /// Loads certificate and key and checks that they belong together.
    pub(crate) fn load(&self) -> anyhow::Result<Authority> {
        let paths = match (&self.ca_cert, &self.ca_key) {
            (Some(cert), Some(key)) => PairPaths {
                key: key.clone(),
                cert: cert.clone(),
            },
            _ => PairPaths::authority(&self.ca, if self.identity { IDENTITY_NAME } else { FULL_NAME }),
        };
        if !paths.cert.exists() && self.ca_cert.is_none() {
            let verb = if self.identity { "identity-ca" } else { "ca" };
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(anyhow::Error::new(missing).context(WithHelp {
                what: format!("no authority in {}", self.ca.display()),
                try_this: format!("imagewright certs {verb} --out {}", self.ca.display()),
            }));
        }
        let (cert, key) = load_pair(&paths)?;
        Ok(Authority {
            cert,
            key,
            path: paths.cert,
        })
    }
}

/// Loads a certificate and its key, which must belong together.
pub(crate) fn load_pair(paths: &PairPaths) -> anyhow::Result<(X509, PKey<Private>)> {
    let cert = X509::from_pem(&files::read_pem(&paths.cert)?)
        .with_context(|| format!("{} holds no certificate in PEM form", paths.cert.display()))?;
    let key = load_key(&paths.key)?;
    let public = cert
        .public_key()
        .with_context(|| format!("{}: key unreadable", paths.cert.display()))?;
    anyhow::ensure!(
        public.public_eq(&key),
        "{} is not the key of {}",
        paths.key.display(),
        paths.cert.display()
    );
    Ok((cert, key))
}

/// Loads a private key. One with a passphrase is refused rather than asked about.
pub(crate) fn load_key(path: &Path) -> anyhow::Result<PKey<Private>> {
    let pem = files::read_pem(path)?;
    PKey::private_key_from_pem_callback(&pem, |_| Ok(0)).with_context(|| {
        format!(
            "{} holds no private key in PEM form without passphrase",
            path.display()
        )
    })
}

/// Turns a number of days into seconds, refusing what no calendar holds.
pub(crate) fn days_to_seconds(days: u32) -> anyhow::Result<i64> {
    /// A hundred years.
    const MAX_DAYS: u32 = 36_525;
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(WrongUse(format!("--days must be 1 to {MAX_DAYS}")).into());
    }
    Ok(i64::from(days) * super::when::DAY_SECONDS)
}
