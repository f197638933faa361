//! Computing names.

use openssl::sha::Sha512;

use crate::Hash;

/// Computes the name of an object whose bytes come in pieces.
///
/// OpenSSL's SHA-512 is the fastest of those measured (590 to 840 MB/s per core against 480 to 610).
#[derive(Clone)]
pub struct Hasher(Sha512);

impl Hasher {
    /// A hasher that has seen nothing yet.
    pub fn new() -> Self {
        Self(Sha512::new())
    }

    /// Adds the next bytes.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The name of everything added.
    pub fn finish(self) -> Hash {
        Hash(self.0.finish())
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Hasher")
    }
}

/// The name of an object that is in memory.
pub fn of(data: &[u8]) -> Hash {
    Hash(openssl::sha::sha512(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_the_whole_have_one_name() {
        let mut hasher = Hasher::new();
        hasher.update(b"ab");
        hasher.update(b"");
        hasher.update(b"c");
        let name = hasher.finish();
        assert_eq!(name, of(b"abc"));
        // The test vector of FIPS 180-4.
        assert!(name.to_string().starts_with("ddaf35a193617abacc417349ae204131"));
    }
}
