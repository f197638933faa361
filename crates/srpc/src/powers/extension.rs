//! Reading and writing the two extensions.

use x509_parser::asn1_rs::{Any, FromDer, Sequence, Tag};
use x509_parser::prelude::X509Certificate;

/// Extension with the permitted methods.
pub const METHODS_OID: &str = "1.3.6.1.4.1.9586.100.7.1";
/// Extension with the groups.
pub const GROUPS_OID: &str = "1.3.6.1.4.1.9586.100.7.2";

/// What one certificate says about its holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateClaims {
    /// Subject common name; empty if there is none.
    pub common_name: String,
    /// Groups, in the certificate's order.
    pub groups: Vec<String>,
    /// Method patterns, in the certificate's order.
    pub methods: Vec<String>,
}

/// Why a certificate's claims cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// Not an X.509 certificate.
    #[error("cannot parse certificate: {0}")]
    Certificate(String),
    /// An extension is not a DER sequence of strings, or goes on behind it.
    #[error("extension {oid}: {cause}")]
    Extension {
        /// Which one.
        oid: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// A permitted method without exactly one dot.
    #[error("bad line: {0:?}")]
    BadLine(String),
}

impl CertificateClaims {
    /// Reads the claims of a certificate in DER.
    ///
    /// # Errors
    /// An extension of ours that is malformed; other extensions are not looked at.
    pub fn from_der(der: &[u8]) -> Result<Self, ClaimsError> {
        let (_, certificate) =
            X509Certificate::from_der(der).map_err(|error| ClaimsError::Certificate(error.to_string()))?;
        let methods = strings(&certificate, METHODS_OID)?;
        if let Some(bad) = methods.iter().find(|line| line.matches('.').count() != 1) {
            return Err(ClaimsError::BadLine(bad.clone()));
        }
        // Of several common names the last one counts, as in Go.
        let common_name = certificate
            .subject()
            .iter_common_name()
            .filter_map(|name| name.as_str().ok())
            .last()
            .unwrap_or_default();
        Ok(Self {
            common_name: common_name.to_owned(),
            groups: strings(&certificate, GROUPS_OID)?,
            methods,
        })
    }
}

/// The first extension with this OID; empty without one.
fn strings(certificate: &X509Certificate<'_>, oid: &'static str) -> Result<Vec<String>, ClaimsError> {
    let Some(extension) = certificate
        .extensions()
        .iter()
        .find(|extension| extension.oid.to_id_string() == oid)
    else {
        return Ok(Vec::new());
    };
    sequence_of_strings(extension.value).map_err(|cause| ClaimsError::Extension { oid, cause })
}

pub(crate) fn sequence_of_strings(der: &[u8]) -> Result<Vec<String>, String> {
    let (behind, sequence) = Sequence::from_der(der).map_err(|error| error.to_string())?;
    if !behind.is_empty() {
        return Err(format!("{} bytes behind the sequence", behind.len()));
    }
    let mut strings = Vec::new();
    let mut rest: &[u8] = &sequence.content;
    while !rest.is_empty() {
        let (behind, element) = Any::from_der(rest).map_err(|error| error.to_string())?;
        if !matches!(
            element.tag(),
            Tag::Utf8String | Tag::PrintableString | Tag::Ia5String
        ) {
            return Err(format!("element is no string but {}", element.tag()));
        }
        let text = std::str::from_utf8(element.data).map_err(|error| error.to_string())?;
        strings.push(text.to_owned());
        rest = behind;
    }
    Ok(strings)
}

/// The DER value of either extension: a sequence of UTF-8 strings. For issuing certificates.
pub fn extension_der<S: AsRef<str>>(strings: impl IntoIterator<Item = S>) -> Vec<u8> {
    const UTF8_STRING: u8 = 0x0c;
    const SEQUENCE: u8 = 0x30;
    let mut content = Vec::new();
    for string in strings {
        push_element(&mut content, UTF8_STRING, string.as_ref().as_bytes());
    }
    let mut der = Vec::with_capacity(content.len() + 8);
    push_element(&mut der, SEQUENCE, &content);
    der
}

fn push_element(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|&&byte| byte == 0).count()..];
    match (content.len(), u8::try_from(significant.len())) {
        (0..=127, _) => out.push(significant.first().copied().unwrap_or(0)),
        (_, Ok(count)) => {
            out.push(0x80 | count);
            out.extend_from_slice(significant);
        }
        // A length has at most 8 bytes.
        (_, Err(_)) => {}
    }
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::{extension_der, sequence_of_strings};

    #[test]
    fn what_is_written_is_read() {
        let long = "x".repeat(300);
        for strings in [vec![], vec![""], vec!["*.*"], vec!["a.b", long.as_str(), "ü"]] {
            assert_eq!(sequence_of_strings(&extension_der(&strings)).unwrap(), strings);
        }
    }

    #[test]
    fn bytes_behind_the_sequence_are_an_error() {
        let mut der = extension_der(["a.b"]);
        der.push(0);
        assert!(sequence_of_strings(&der).is_err());
    }

    #[test]
    fn other_elements_are_an_error() {
        assert!(sequence_of_strings(&[0x30, 3, 2, 1, 5]).is_err());
        assert!(sequence_of_strings(&[]).is_err());
        assert!(sequence_of_strings(&[0x30, 5, 0x0c, 9, b'a', b'b', b'c']).is_err());
        assert_eq!(
            sequence_of_strings(&[0x30, 4, 0x13, 2, b'a', b'b']).unwrap(),
            ["ab"]
        );
    }
}
