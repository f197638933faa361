//! The certificate directory of the command-line tools (srpc.md §8.2).

use std::cmp::Reverse;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::{ClientCredentials, CredentialError, KeyPair};

/// Pairs one directory may hold.
const PAIRS_MAX: usize = 1000;
/// Bytes of one certificate or key file.
const FILE_MAX_BYTES: u64 = 1 << 20;

/// Loads every `NAME.key` with its `NAME.cert`, and `key.pem` with `cert.pem`. `None` if the directory is missing or holds no
/// pair.
///
/// Order: pairs that permit `*.*` first, then those with more permitted methods, then those that expire later.
///
/// # Errors
/// A pair that is expired, not yet valid, or broken: the tool should stop.
pub fn load_directory(directory: &Path) -> Result<Option<Arc<ClientCredentials>>, CredentialError> {
    let mut names = match key_names(directory) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(CredentialError::Io {
                path: directory.to_owned(),
                source,
            });
        }
    };
    names.sort_unstable();
    let now = SystemTime::now();
    let mut pairs = Vec::new();
    for key_name in names {
        if let Some(pair) = load_pair(directory, &key_name, now)? {
            pairs.push(pair);
        }
    }
    pairs.sort_by_key(|pair| {
        let claims = &pair.summary().claims;
        let permits_all = claims.methods.iter().any(|method| method == "*.*");
        Reverse((permits_all, claims.methods.len(), pair.summary().not_after))
    });
    Ok(if pairs.is_empty() {
        None
    } else {
        Some(ClientCredentials::new(pairs))
    })
}

fn key_names(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let Ok(name) = entry?.file_name().into_string() else {
            continue;
        };
        if (name.ends_with(".key") || name == "key.pem") && names.len() < PAIRS_MAX {
            names.push(name);
        }
    }
    Ok(names)
}

/// `None`: the key has no certificate beside it.
fn load_pair(directory: &Path, key_name: &str, now: SystemTime) -> Result<Option<KeyPair>, CredentialError> {
    let certificate_name = match key_name.strip_suffix(".key") {
        Some(stem) => format!("{stem}.cert"),
        None => "cert.pem".to_owned(),
    };
    let Some(certificate) = read_file(&directory.join(&certificate_name))? else {
        return Ok(None);
    };
    let Some(key) = read_file(&directory.join(key_name))? else {
        return Ok(None);
    };
    let pair = KeyPair::from_pem(&certificate_name, &certificate, &key).map_err(|error| match error {
        CredentialError::Claims { .. } => error,
        other => CredentialError::Pair {
            file: format!("{certificate_name}:"),
            cause: other.to_string(),
        },
    })?;
    match pair.summary().invalidity(now) {
        Some(cause) => Err(CredentialError::Pair {
            file: certificate_name,
            cause,
        }),
        None => Ok(Some(pair)),
    }
}

/// `None` if there is no such file, or it is empty.
pub(super) fn read_file(path: &Path) -> Result<Option<Vec<u8>>, CredentialError> {
    use std::io::Read;
    let failed = |source| CredentialError::Io {
        path: path.to_owned(),
        source,
    };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut text = Vec::new();
    file.take(FILE_MAX_BYTES).read_to_end(&mut text).map_err(failed)?;
    Ok(if text.is_empty() { None } else { Some(text) })
}
