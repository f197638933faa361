//! From a verified chain to a caller (srpc.md §7.1).

use super::{CertificateClaims, ClaimsError, Powers};

/// Who a verified chain belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) username: String,
    pub(crate) groups: Vec<String>,
    pub(crate) powers: Powers,
}

/// Looks at every certificate of the chain in order, leaf first. `powers_honoured`: the leaf was issued by a CA that may
/// grant methods.
pub(crate) fn identify<'a>(
    chain: impl IntoIterator<Item = &'a [u8]>,
    powers_honoured: bool,
) -> Result<Identity, ClaimsError> {
    let mut identity = Identity::default();
    let mut methods: Vec<String> = Vec::new();
    for der in chain {
        let claims = CertificateClaims::from_der(der)?;
        if identity.username.is_empty() {
            identity.username = claims.common_name;
        }
        if identity.groups.is_empty() {
            identity.groups = claims.groups;
        }
        for method in claims.methods {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
    }
    if powers_honoured {
        identity.powers = Powers::new(methods);
    }
    Ok(identity)
}
