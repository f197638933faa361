//! Where the manifest of a stream is (`imaginator.md §5, §6.2`).

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::{Secrets, UserStream, environment, expand};

/// A repository or tree, and a directory in it, with nothing left to expand.
#[derive(Clone, PartialEq, Eq)]
pub struct ManifestLocation {
    /// Repository, or `dir://` and an absolute path. **May hold secrets**: never to be printed.
    pub url: String,
    /// Directory in it; empty for its top. May hold secrets.
    pub directory: String,
}

impl ManifestLocation {
    /// For fetching: variables are those of the stream, then those of the request, then secrets; the first that has a name wins.
    pub fn with_secrets(
        stream_name: &str,
        stream: &UserStream,
        request_variables: &BTreeMap<String, String>,
        secrets: &Secrets,
    ) -> Self {
        let own = environment::of_stream(stream_name, stream);
        let lookup = |name: &str| {
            own.get(name)
                .or_else(|| request_variables.get(name))
                .map(String::as_str)
                .or_else(|| secrets.get(name))
        };
        Self::expanded(stream, lookup)
    }

    /// For pages: variables of the stream alone. What is secret is left out, so the result may lead nowhere.
    pub fn without_secrets(stream_name: &str, stream: &UserStream) -> Self {
        let own = environment::of_stream(stream_name, stream);
        Self::expanded(stream, |name| own.get(name).map(String::as_str))
    }

    fn expanded<'a>(stream: &UserStream, lookup: impl Fn(&str) -> Option<&'a str>) -> Self {
        Self {
            url: expand::expression(&stream.manifest_url, &lookup),
            directory: expand::expression(&stream.manifest_directory, &lookup),
        }
    }

    /// The local tree, if it is one: the path of a `dir://` URL, unescaped. The directory is not yet joined to it.
    ///
    /// # Errors
    /// It is such a URL, but has no absolute path.
    pub fn local_tree(&self) -> Result<Option<PathBuf>, LocationError> {
        let Some(("dir", rest)) = self.url.split_once(':') else {
            return Ok(None);
        };
        // What stands between two slashes and the third would be a host, which means nothing here.
        let path = match rest.strip_prefix("//") {
            Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
            None => rest,
        };
        if !path.starts_with('/') {
            return Err(LocationError::NotAbsolute);
        }
        let path = path.split(['?', '#']).next().unwrap_or_default();
        Ok(Some(unescape_path(path)))
    }
}

/// Why a location leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// `dir://` and something that is no absolute path.
    #[error("missing leading slash: a manifest tree needs an absolute path, as in dir:///srv/manifests")]
    NotAbsolute,
}

/// The path in a URL, with `%XX` replaced by the byte it stands for.
pub(crate) fn unescape_path(text: &str) -> PathBuf {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = || {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        };
        match escaped().filter(|_| first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    std::ffi::OsString::from_vec(out).into()
}

/// Tells nothing, since it may hold secrets.
impl fmt::Debug for ManifestLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManifestLocation(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn the_stream_wins_over_the_request_and_that_over_secrets() {
        let stream = UserStream {
            manifest_url: "https://$USER:$PASSWORD@git.example/$A/$B.git".into(),
            manifest_directory: "${IMAGE_STREAM[/1:]}".into(),
            variables: table(&[("A", "stream")]),
            ..UserStream::default()
        };
        let secrets = Secrets::new(table(&[
            ("USER", "me"),
            ("PASSWORD", "hunter22"),
            ("A", "no"),
            ("B", "no"),
        ]));
        let request = table(&[("A", "no"), ("B", "request")]);
        let location = ManifestLocation::with_secrets("base/x/y", &stream, &request, &secrets);
        assert_eq!(location.url, "https://me:hunter22@git.example/stream/request.git");
        assert_eq!(location.directory, "x/y");
        assert_eq!(location.local_tree(), Ok(None));
        assert!(!format!("{location:?}").contains("hunter22"));
        let shown = ManifestLocation::without_secrets("base/x/y", &stream);
        assert_eq!(shown.url, "https://:@git.example/stream/.git");
    }

    #[test]
    fn trees_of_this_host_are_recognised() {
        let tree = |url: &str| {
            let stream = UserStream {
                manifest_url: url.into(),
                ..UserStream::default()
            };
            ManifestLocation::without_secrets("x", &stream).local_tree()
        };
        for (url, expected) in [
            ("dir:///srv/manifests", Ok(Some("/srv/manifests"))),
            ("dir:///srv/a%20b", Ok(Some("/srv/a b"))),
            ("dir:///srv/100%", Ok(Some("/srv/100%"))),
            ("dir:/srv", Ok(Some("/srv"))),
            ("dir://host/srv", Ok(Some("/srv"))),
            ("dir://srv", Err(LocationError::NotAbsolute)),
            ("dir:", Err(LocationError::NotAbsolute)),
            ("/srv/repo.git", Ok(None)),
            ("file:///srv/repo.git", Ok(None)),
            ("git@host:x.git", Ok(None)),
            ("", Ok(None)),
        ] {
            assert_eq!(tree(url), expected.map(|path| path.map(PathBuf::from)), "{url}");
        }
    }
}
