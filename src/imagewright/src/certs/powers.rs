//! Writing powers into certificates. What they mean is the transport's business: `srpc::powers` (srpc.md §7.1, §7.3).

use super::build::RawExtension;
use srpc::powers::{ClaimsError, GROUPS_OID, METHODS_OID, extension_der};

/// The extensions for these method patterns and groups; none for an empty list.
pub(crate) fn extensions(methods: &[String], groups: &[String]) -> Vec<RawExtension> {
    [(METHODS_OID, methods), (GROUPS_OID, groups)]
        .into_iter()
        .filter(|(_, entries)| !entries.is_empty())
        // Not critical: a critical extension that a TLS stack does not know makes it refuse the certificate.
        .map(|(oid, entries)| RawExtension {
            oid: oid.to_owned(),
            critical: false,
            value: extension_der(entries),
        })
        .collect()
}

/// Checks one method entry before it is written. Servers reject a whole certificate for one entry without exactly
/// one dot.
pub(crate) fn check_method(entry: &str) -> Result<(), ClaimsError> {
    if entry.matches('.').count() != 1 || entry.chars().any(char::is_control) {
        return Err(ClaimsError::BadLine(entry.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_without_exactly_one_dot_is_refused() {
        assert!(check_method("ImageServer.*").is_ok());
        for bad in ["*", "a.b.c", "", "a.b\nc"] {
            assert!(check_method(bad).is_err(), "{bad:?}");
        }
    }
}
