//! Names of the files the programs read, and writing them whole or not at all.
//!
//! A tool looks in one directory for `NAME.key` with `NAME.cert`, or `key.pem` with `cert.pem`
//! (srpc.md §8.2); a daemon is told its `cert.pem` and `key.pem` (srpc.md §8.1).

use crate::exit::WithHelp;
use anyhow::Context;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Mode of a private key: its owner only.
pub(crate) const KEY_MODE: u32 = 0o600;
/// Mode of a certificate, which is no secret.
pub(crate) const CERT_MODE: u32 = 0o644;
/// Largest file read as PEM, in bytes. A bundle of every public root is a quarter of this.
pub(crate) const MAX_PEM_BYTES: u64 = 1 << 20;

/// Where a key and its certificate lie.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PairPaths {
    pub(crate) key: PathBuf,
    pub(crate) cert: PathBuf,
}

impl PairPaths {
    /// `NAME.key` and `NAME.cert`, as tools read them.
    pub(crate) fn tool(directory: &Path, name: &str) -> Self {
        Self {
            key: directory.join(format!("{name}.key")),
            cert: directory.join(format!("{name}.cert")),
        }
    }

    /// `key.pem` and `cert.pem`, as daemons (and tools) read them.
    pub(crate) fn daemon(directory: &Path) -> Self {
        Self {
            key: directory.join("key.pem"),
            cert: directory.join("cert.pem"),
        }
    }

    /// `NAME.key` and `NAME.pem`, as authorities are kept.
    pub(crate) fn authority(directory: &Path, name: &str) -> Self {
        Self {
            key: directory.join(format!("{name}.key")),
            cert: directory.join(format!("{name}.pem")),
        }
    }

    /// The pair a certificate file belongs to, by its name.
    pub(crate) fn of_cert(cert: &Path) -> Option<Self> {
        let name = cert.file_name()?.to_str()?;
        let key = match name {
            "cert.pem" => "key.pem".to_owned(),
            _ => format!(
                "{}.key",
                name.strip_suffix(".cert").or_else(|| name.strip_suffix(".pem"))?
            ),
        };
        Some(Self {
            key: cert.with_file_name(key),
            cert: cert.to_owned(),
        })
    }
}

/// Reads a PEM file, refusing what cannot be one by its size.
pub(crate) fn read_pem(path: &Path) -> anyhow::Result<Vec<u8>> {
    let metadata = fs::metadata(path).with_context(|| path.display().to_string())?;
    anyhow::ensure!(
        metadata.len() <= MAX_PEM_BYTES,
        "{}: {} bytes are too many for a PEM file (limit {MAX_PEM_BYTES})",
        path.display(),
        metadata.len()
    );
    fs::read(path).with_context(|| path.display().to_string())
}

/// Writes a new pair. Without `force` neither file may exist; nothing is left behind when it fails.
pub(crate) fn write_pair(
    paths: &PairPaths,
    key_pem: &[u8],
    cert_pem: &[u8],
    force: bool,
) -> anyhow::Result<()> {
    if !force {
        // Asked first so that the usual refusal touches nothing; the link below decides in a race.
        for path in [&paths.key, &paths.cert] {
            if path.symlink_metadata().is_ok() {
                return Err(exists(path));
            }
        }
    }
    if let Some(directory) = paths
        .key
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
    {
        make_directory(directory)?;
    }
    write_file(&paths.key, key_pem, KEY_MODE, force)?;
    if let Err(error) = write_file(&paths.cert, cert_pem, CERT_MODE, force) {
        if !force {
            // The key was made by this run and is useless alone.
            let _ = fs::remove_file(&paths.key);
        }
        return Err(error);
    }
    Ok(())
}

/// Writes one file: temporary file, flush, then a link (or with `replace` a rename) to its name, directory flush.
pub(crate) fn write_file(path: &Path, content: &[u8], mode: u32, replace: bool) -> anyhow::Result<()> {
    let name = path
        .file_name()
        .context("a file name is needed")?
        .to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}~", std::process::id()));
    let result = fill_and_place(&temporary, path, content, mode, replace);
    // After a rename there is nothing to remove; after a link or a failure there is.
    let _ = fs::remove_file(&temporary);
    result
}

fn fill_and_place(
    temporary: &Path,
    path: &Path,
    content: &[u8],
    mode: u32,
    replace: bool,
) -> anyhow::Result<()> {
    let told = || format!("cannot write {}", path.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(temporary)
        .with_context(told)?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .with_context(told)?;
    if replace {
        fs::rename(temporary, path).with_context(told)?;
    } else if let Err(error) = fs::hard_link(temporary, path) {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return Err(exists(path));
        }
        return Err(error).with_context(told);
    }
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .with_context(told)
}

fn make_directory(directory: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let make = |directory: &Path, mode| {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(directory)
            .with_context(|| format!("cannot make {}", directory.display()))
    };
    // Others have business above it: /etc/ssl holds more than this pair.
    if let Some(above) = directory.parent().filter(|above| !above.as_os_str().is_empty()) {
        make(above, 0o755)?;
    }
    // Keys will lie there: a new directory is for its owner only.
    make(directory, 0o700)
}

fn exists(path: &Path) -> anyhow::Error {
    WithHelp {
        what: format!("{} exists and is kept", path.display()),
        try_this: "another --out, or --force to replace it (a replaced key cannot be had back)".to_owned(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_directory_is_for_its_owner_and_those_above_it_for_everybody() {
        let root = tempfile::tempdir().unwrap();
        make_directory(&root.path().join("etc/ssl/imageserver")).unwrap();
        let mode = |name: &str| fs::metadata(root.path().join(name)).unwrap().permissions().mode() & 0o777;
        // A umask may take more away.
        assert_eq!(mode("etc") & mode("etc/ssl") & 0o500, 0o500);
        assert_eq!(mode("etc/ssl"), mode("etc"));
        assert!(mode("etc/ssl") & 0o055 != 0, "{:o}", mode("etc/ssl"));
        assert_eq!(mode("etc/ssl/imageserver"), 0o700);
    }

    #[test]
    fn a_pair_that_exists_is_kept_unless_forced() {
        let directory = tempfile::tempdir().unwrap();
        let paths = PairPaths::tool(&directory.path().join("new"), "alice");
        write_pair(&paths, b"key 1", b"cert 1", false).unwrap();
        assert!(write_pair(&paths, b"key 2", b"cert 2", false).is_err());
        assert_eq!(fs::read(&paths.key).unwrap(), b"key 1");
        fs::remove_file(&paths.key).unwrap();
        assert!(
            write_pair(&paths, b"key 3", b"cert 3", false).is_err(),
            "the certificate alone counts too"
        );
        assert!(!paths.key.exists());
        write_pair(&paths, b"key 4", b"cert 4", true).unwrap();
        assert_eq!(fs::read(&paths.cert).unwrap(), b"cert 4");
        assert_eq!(
            fs::metadata(&paths.key).unwrap().permissions().mode() & 0o777,
            KEY_MODE
        );
        let names = fs::read_dir(directory.path().join("new")).unwrap().count();
        assert_eq!(names, 2, "no temporary file stays");
    }

    #[test]
    fn the_partner_of_a_certificate_is_found_by_its_name() {
        let key = |cert: &str| PairPaths::of_cert(Path::new(cert)).map(|pair| pair.key);
        assert_eq!(key("d/cert.pem"), Some("d/key.pem".into()));
        assert_eq!(key("d/a.b.cert"), Some("d/a.b.key".into()));
        assert_eq!(key("CA.pem"), Some("CA.key".into()));
        assert_eq!(key("alice.crt"), None);
    }
}
