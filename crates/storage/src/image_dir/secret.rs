//! The key of image archives (`imageserver.md §3.11`).

use super::ImageDir;
use crate::Result;
use crate::error::IoContext;
use crate::resolve::open_beneath;
use rustix::fs::{AtFlags, Mode, OFlags, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Write};
use std::sync::PoisonError;

const SECRET_NAME: &str = ".secret";
pub(super) const SECRET_TEMPORARY_NAME: &str = ".secret~";
/// Bytes of a new secret; an existing one is used as it is.
const SECRET_BYTES: usize = 32;
/// Longest secret that is read, bytes.
const SECRET_LIMIT_BYTES: u64 = 4096;

impl ImageDir {
    /// The server's archive key, made at the first call ever: 32 random bytes, mode 0600. An empty file is what a power cut
    /// leaves of a key that was never flushed; it never sealed anything, so it is made anew.
    pub fn secret(&self) -> Result<Vec<u8>> {
        // Whoever comes second finds the key of whoever came first.
        let _turn = self.secret_turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = self.read_secret()? {
            return Ok(secret);
        }
        let what = || SECRET_NAME.to_owned();
        let mut random = vec![0; SECRET_BYTES];
        File::open("/dev/urandom")
            .and_then(|mut source| source.read_exact(&mut random))
            .context("draw random bytes for", what)?;
        let _ = unlinkat(&self.root, SECRET_TEMPORARY_NAME, AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let descriptor = openat(
            &self.root,
            SECRET_TEMPORARY_NAME,
            flags,
            Mode::from_raw_mode(0o600),
        )
        .context("write", what)?;
        let mut file = File::from(descriptor);
        file.write_all(&random).context("write", what)?;
        fsync(&file).context("flush", what)?;
        renameat(&self.root, SECRET_TEMPORARY_NAME, &self.root, SECRET_NAME).context("write", what)?;
        fsync(&self.root).context("flush the directory of", what)?;
        Ok(random)
    }

    fn read_secret(&self) -> Result<Option<Vec<u8>>> {
        let what = || SECRET_NAME.to_owned();
        match open_beneath(
            &self.root,
            SECRET_NAME,
            OFlags::RDONLY | OFlags::NONBLOCK,
            Mode::empty(),
        ) {
            Ok(descriptor) => {
                let mut secret = Vec::new();
                File::from(descriptor)
                    .take(SECRET_LIMIT_BYTES)
                    .read_to_end(&mut secret)
                    .context("read", what)?;
                Ok(Some(secret).filter(|secret| !secret.is_empty()))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error).context("open", what),
        }
    }
}
