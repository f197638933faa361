//! Digests of files, computed while they pass.

use openssl::error::ErrorStack;
use openssl::hash::{Hasher, MessageDigest};

/// The digests a file is recorded with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// SHA-1, lower-case hex.
    pub sha1: String,
    /// MD5, base64: the `Content-MD5` of downloads, without which clients refuse them.
    pub md5: String,
    /// Bytes.
    pub size: u64,
}

impl Digests {
    /// Of a file of `size` bytes, whose digests were computed apart.
    pub fn of_parts(sha1: &[u8], md5: &[u8], size: u64) -> Self {
        Self {
            sha1: hex::encode(sha1),
            md5: openssl::base64::encode_block(md5),
            size,
        }
    }
}

/// Computes both digests at once.
#[derive(Clone)]
pub struct Digester {
    sha1: Hasher,
    md5: Hasher,
    size: u64,
}

impl Digester {
    /// Of nothing yet.
    ///
    /// # Errors
    /// The host's OpenSSL does not offer one of them.
    pub fn new() -> Result<Self, ErrorStack> {
        Ok(Self {
            sha1: Hasher::new(MessageDigest::sha1())?,
            md5: Hasher::new(MessageDigest::md5())?,
            size: 0,
        })
    }

    /// Takes more bytes in.
    ///
    /// # Errors
    /// OpenSSL fails.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), ErrorStack> {
        self.sha1.update(bytes)?;
        self.md5.update(bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digests.
    ///
    /// # Errors
    /// OpenSSL fails.
    pub fn finish(mut self) -> Result<Digests, ErrorStack> {
        Ok(Digests::of_parts(
            &self.sha1.finish()?,
            &self.md5.finish()?,
            self.size,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_fixture_of_the_original() {
        let mut digester = Digester::new().unwrap();
        digester.update(b"fi").unwrap();
        digester.update(b"le").unwrap();
        let digests = digester.finish().unwrap();
        assert_eq!(digests.md5, "jH3ZIq1HSU/ALDiOEsAOrA==");
        assert_eq!(digests.size, 4);
        assert_eq!(digests.sha1.len(), 40);
    }
}
