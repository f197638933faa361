//! What certificates say about their holders: method patterns and groups in two private extensions (srpc.md §7.1).

mod extension;
mod glob;
mod identity;

#[cfg(feature = "fuzzing")]
pub(crate) use extension::sequence_of_strings;
pub use extension::{CertificateClaims, ClaimsError, GROUPS_OID, METHODS_OID, extension_der};
pub use glob::Pattern;
pub(crate) use identity::identify;

/// The methods that a caller's certificates permit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    patterns: Vec<Pattern>,
}

impl Powers {
    /// From patterns over `Service.Method`. A malformed one never matches.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Self {
        Self {
            patterns: patterns
                .into_iter()
                .map(|pattern| Pattern::new(pattern.as_ref()))
                .collect(),
        }
    }

    /// Whether any pattern matches the full `Service.Method`.
    pub fn permit(&self, full_method_name: &str) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern.matches(full_method_name))
    }

    /// The patterns.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }
}
