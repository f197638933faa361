//! The header `Authorization: Signature …`.

use std::collections::HashMap;

/// Bytes of the header, at most.
const MAXIMUM_HEADER: usize = 16 << 10;
/// Names of headers that are signed, at most.
const MAXIMUM_SIGNED: usize = 64;

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Whose key.
    pub key_id: String,
    /// Name of the algorithm, as it was given.
    pub algorithm: String,
    /// Base64.
    pub signature: String,
    /// What is signed, lower case, in order; `None` if it was not said.
    pub headers: Option<Vec<String>>,
}

impl Authorization {
    /// Takes the header apart: one space behind the scheme, `name="value"` joined by bare commas.
    ///
    /// # Errors
    /// What the client is told.
    pub fn parse(header: &str) -> Result<Self, String> {
        let (scheme, parameters) = header.split_once(' ').unwrap_or((header, ""));
        let mut parameters = parse_parameters(parameters)?;
        if scheme != "Signature" {
            return Err("scheme was not \"Signature\"".to_owned());
        }
        let headers = parameters.remove("headers").filter(|headers| !headers.is_empty());
        let headers: Option<Vec<String>> =
            headers.map(|headers| headers.split(' ').map(str::to_lowercase).collect());
        if headers
            .as_ref()
            .is_some_and(|headers| headers.len() > MAXIMUM_SIGNED)
        {
            return Err("bad param format".to_owned());
        }
        let mut take = |name: &str| {
            let value = parameters.remove(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| format!("{name} was not specified"))
        };
        Ok(Self {
            key_id: take("keyId")?,
            algorithm: take("algorithm")?,
            signature: take("signature")?,
            headers,
        })
    }
}

fn parse_parameters(text: &str) -> Result<HashMap<String, String>, String> {
    let bad = || "bad param format".to_owned();
    if text.len() > MAXIMUM_HEADER {
        return Err(bad());
    }
    let mut parameters = HashMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((name, behind)) = rest.split_once('=') else {
            // A name at the end without anything: only letters are no error of form.
            return if rest.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                Ok(parameters)
            } else {
                Err(bad())
            };
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(bad());
        }
        if behind.is_empty() {
            return Ok(parameters);
        }
        let value = behind.strip_prefix('"').ok_or_else(bad)?;
        // A value that does not end counts as not given.
        let Some((value, behind)) = value.split_once('"') else {
            return Ok(parameters);
        };
        parameters.insert(name.to_owned(), value.to_owned());
        rest = match behind.strip_prefix(',') {
            Some(rest) => rest,
            None if behind.is_empty() => "",
            None => return Err(bad()),
        };
    }
    Ok(parameters)
}

/// Whose key, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId {
    /// Name of the user.
    pub user: String,
    /// Fingerprint of the one key that may have signed, if one is named.
    pub fingerprint: Option<String>,
}

impl KeyId {
    /// A plain name of a user, or `/USER/keys/FINGERPRINT`; other paths are nobody.
    pub fn parse(text: &str) -> Option<Self> {
        let Some(path) = text.strip_prefix('/') else {
            return Some(Self {
                user: text.to_owned(),
                fingerprint: None,
            });
        };
        let (user, rest) = path.split_once('/')?;
        // Fingerprints in base64 have slashes.
        let fingerprint = rest
            .strip_prefix("keys/")
            .filter(|fingerprint| !fingerprint.is_empty())?;
        (!user.is_empty()).then(|| Self {
            user: user.to_owned(),
            fingerprint: Some(fingerprint.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(header: &str) -> String {
        Authorization::parse(header).unwrap_err()
    }

    #[test]
    fn the_form_is_strict_and_failures_are_told_as_the_original_tells_them() {
        let good = r#"Signature keyId="joe",algorithm="rsa-sha256",headers="Date Host",signature="AA==""#;
        let parsed = Authorization::parse(good).unwrap();
        assert_eq!(parsed.headers, Some(vec!["date".to_owned(), "host".to_owned()]));
        let cases = [
            ("Basic Zm9vOmJhcg==", "bad param format"),
            ("Basic Zm", "scheme was not \"Signature\""),
            ("Signature", "keyId was not specified"),
            (r#"Signature keyId="a""#, "algorithm was not specified"),
            (
                r#"Signature keyId="a",algorithm="b""#,
                "signature was not specified",
            ),
            (r#"Signature keyId="a", algorithm="b""#, "bad param format"),
            (r#"Signature keyId=a"#, "bad param format"),
            (r#"Signature key1="a""#, "bad param format"),
            (r#"Signature keyId="a"x"#, "bad param format"),
            (r#"Signature keyId="a"#, "keyId was not specified"),
            (
                r#"signature keyId="a",algorithm="b",signature="c""#,
                "scheme was not \"Signature\"",
            ),
        ];
        for (header, expected) in cases {
            assert_eq!(message(header), expected, "{header}");
        }
    }

    #[test]
    fn a_key_is_named_by_its_user_or_by_its_path() {
        let id = |text: &str| KeyId::parse(text).map(|id| (id.user, id.fingerprint));
        assert_eq!(id("joe"), Some(("joe".to_owned(), None)));
        assert_eq!(
            id("/joe/keys/SHA256:a/b"),
            Some(("joe".to_owned(), Some("SHA256:a/b".to_owned())))
        );
        assert_eq!(id("/joe/users/x/keys/y"), None);
        assert_eq!(id("/joe/keys/"), None);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in ".*", tail in "[a-zA-Z=\",/ ]{0,60}") {
            let _ = Authorization::parse(&header);
            let _ = Authorization::parse(&format!("Signature {tail}"));
            let _ = KeyId::parse(&header);
        }
    }
}
