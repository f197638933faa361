//! Keyed names, for archives that must come back unchanged.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

use crate::Hash;

/// HMAC-SHA512 of some bytes under a key.
///
/// # Errors
/// OpenSSL refuses, as it does when SHA-512 is switched off.
pub fn hmac(key: &[u8], data: &[u8]) -> Result<Hash, ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut code = [0; Hash::LENGTH];
    Signer::new(MessageDigest::sha512(), &key)?.sign_oneshot(&mut code, data)?;
    Ok(Hash(code))
}

/// Whether two codes are the same, in a time that does not depend on where they differ.
pub fn hmac_equal(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && openssl::memcmp::eq(left, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_that_of_the_standard() {
        // Test case 2 of RFC 4231.
        let code = hmac(b"Jefe", b"what do ya want for nothing?").unwrap();
        assert!(
            code.to_string()
                .starts_with("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554")
        );
    }

    #[test]
    fn codes_of_other_lengths_are_not_equal() {
        assert!(hmac_equal(b"ab", b"ab"));
        assert!(!hmac_equal(b"ab", b"ac"));
        assert!(!hmac_equal(b"ab", b""));
    }
}
